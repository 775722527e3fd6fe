-- Every total of the inspectorate's own research, computed from its tables.
--
-- Second engine, like recount.sql: no code, tables or ideas shared with assets/inputs/research/.
--
-- Given: `profile` (force_code, year, profiles, profiles_inappropriate, accounts_inappropriate,
-- accounts_still_visible; null where not counted); `instance` (force_code, year, site, category,
-- instances); `response` (respondent_id, year, wave, question, answer); `choice` (question,
-- answer): the answers each question allows; `census` (year); `ours` (force_code).
-- Returns: measure, breakdown, period, value, forces_included.

with looked_at as (
    select profile.* from profile semi join ours using (force_code)
),

found as (
    select instance.* from instance semi join ours using (force_code)
),

-- profiles and accounts --------------------------------------------------------------------------

-- One row a force, year and number that was counted.
counted as (
    unpivot looked_at
    on profiles, profiles_inappropriate, accounts_inappropriate, accounts_still_visible
    into name counted_as value n
),

profile_total as (
    select 'social_media_' || counted_as as measure, 'year=' || year as breakdown,
        sum(n)::double as value, count(*) as forces_included
    from counted group by counted_as, year
),

researched as (
    select 'social_media_forces_researched' as measure, 'year=' || year as breakdown,
        count(*)::double as value, count(*) as forces_included
    from looked_at group by year
),

part_of as (
    select * from (values
        ('profiles_inappropriate', 'profiles'),
        ('accounts_still_visible', 'accounts_inappropriate')
    ) as pair (part, whole)
),

profile_share as (
    select 'social_media_' || part.counted_as || '_share' as measure,
        'year=' || part.year as breakdown,
        sum(part.n) * 100.0 / nullif(sum(whole.n), 0) as value, count(*) as forces_included
    from part_of
    join counted as part on part.counted_as = part_of.part
    join counted as whole on whole.counted_as = part_of.whole
        and whole.force_code = part.force_code and whole.year = part.year
    group by part.counted_as, part.year
),

-- instances --------------------------------------------------------------------------------------

kind as (
    select year, site, category, sum(instances) as n, count(distinct force_code) as forces_included
    from found
    group by grouping sets ((year), (year, site), (year, category), (year, site, category))
),

instance_total as (
    select 'social_media_instances' as measure,
        'year=' || year || coalesce(';site=' || site, '') || coalesce(';category=' || category, '')
            as breakdown,
        n::double as value, forces_included, year, site is null and category is null as is_whole
    from kind
),

instance_share as (
    select 'social_media_instances_share' as measure, part.breakdown,
        part.value * 100 / nullif(whole.value, 0) as value, part.forces_included
    from instance_total as part join instance_total as whole using (year)
    where whole.is_whole and not part.is_whole
),

cases as (
    select 'social_media_cases' as measure, '' as breakdown, sum(instances)::double as value,
        count(distinct force_code) as forces_included
    from found semi join census using (year)
),

-- survey -----------------------------------------------------------------------------------------

asked as (
    select year, question, count(distinct respondent_id) as base from response
    group by grouping sets ((year), (year, question))
),

offered as (
    select asked.year, asked.question, choice.answer, asked.base,
        (select count(*) from response as given
            where given.year = asked.year and given.question = asked.question
                and given.answer = choice.answer) as gave
    from asked join choice using (question)
),

survey as (
    select 'survey_waves' as measure, 'year=' || year as breakdown,
        count(distinct wave)::double as value
    from response group by year
    union all
    select 'survey_respondents', coalesce('question=' || question || ';', '') || 'year=' || year, base
    from asked
    union all
    select 'survey_respondents', 'question=' || question || ';answer=' || answer || ';year=' || year,
        gave
    from offered
    union all
    select 'survey_percent', 'question=' || question || ';answer=' || answer || ';year=' || year,
        gave * 100.0 / base
    from offered
    union all
    select 'survey_percent', 'question=' || question || ';year=' || year, gave * 100.0 / base
    from offered where answer = 'yes'
),

everything as (
    select * from profile_total
    union all by name select * from researched
    union all by name select * from profile_share
    union all by name select measure, breakdown, value, forces_included from instance_total
    union all by name select * from instance_share
    union all by name select * from cases
    union all by name select *, 0 as forces_included from survey
)

select measure, breakdown, '' as period, value, forces_included from everything
where value is not null

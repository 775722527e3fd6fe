-- Every national total, computed from the live cells alone.
--
-- This is the second engine: it must not share code, tables or ideas with assets/totals/, so that
-- the two do not make the same mistake. It reads meaning out of the codes themselves.
--
-- Given: `cells` (force_code, sheet, row_code, column_code, value); `listed` (question, answer):
-- the answers each question offers; `band` (text, low, high): bands of counts, high null for none;
-- `months` (period, months).
-- Returns: measure, breakdown, period, value, forces_included.

with number as (
    select *, try_cast(value as bigint) as n from cells
),

-- investigations ---------------------------------------------------------------------------------

case_cell as (
    select
        force_code,
        split_part(row_code, '.', 1) as category,
        split_part(row_code, '.', 2) as sub,
        column_code as outcome,
        n
    from number
    where sheet = 'investigations'
        and row_code not in ('total', 'information_disclosure')
        and column_code <> 'total'
),

split_case as (
    select
        force_code, category, outcome, n,
        case when category = 'information_disclosure'
            then case when sub like 'media@_%' escape '@' then 'media' else sub end end as recipient,
        case
            when category = 'media_relationship' then sub
            when sub like 'media@_%' escape '@' then substr(sub, 7)
        end as media
    from case_cell
),

-- A case stands in its own outcome; unless it continues, it is completed as well; and it counts
-- whatever its outcome.
outcome_case as (
    select force_code, category, recipient, media, outcome, n from split_case
    where outcome <> 'people_suspended'
    union all
    select force_code, category, recipient, media, 'completed', n from split_case
    where outcome not in ('people_suspended', 'continuing')
    union all
    select force_code, category, recipient, media, null, n from split_case
    where outcome <> 'people_suspended'
),

-- Each row of the sheet at every level it belongs to, named by its breakdown.
leveled as (
    select force_code, n, outcome, level from (
        select force_code, n, outcome, unnest(list_distinct([
            '',
            'category=' || category,
            'category=' || category || coalesce(';recipient=' || recipient, ''),
            'category=' || category || coalesce(';recipient=' || recipient, '')
                || coalesce(';media=' || media, '')
        ])) as level
        from outcome_case
    )
),

case_total as (
    select
        'investigations' as measure,
        trim(level || coalesce(';outcome=' || outcome, ''), ';') as breakdown,
        'collection' as period,
        sum(n)::double as value,
        count(distinct force_code) filter (n is not null) as forces_included
    from leveled group by level, outcome
),

suspended_total as (
    select
        'people_suspended' as measure, level as breakdown, 'collection' as period,
        sum(n)::double as value,
        count(distinct force_code) filter (n is not null) as forces_included
    from (
        select force_code, n, unnest(list_distinct([
            '',
            'category=' || category,
            'category=' || category || coalesce(';recipient=' || recipient, ''),
            'category=' || category || coalesce(';recipient=' || recipient, '')
                || coalesce(';media=' || media, '')
        ])) as level
        from split_case where outcome = 'people_suspended'
    ) group by level
),

case_share as (
    select
        'investigations_share' as measure, part.breakdown, 'collection' as period,
        case when whole.value > 0 then part.value * 100 / whole.value end as value,
        part.forces_included
    from case_total as part, case_total as whole
    where whole.breakdown = ''
        and (regexp_full_match(part.breakdown, 'category=[a-z_]+')
            or (part.breakdown like 'outcome=%' and part.breakdown <> 'outcome=completed'))
),

-- comparators ------------------------------------------------------------------------------------

comparator_total as (
    select
        'investigations' as measure,
        case split_part(replace(replace(row_code, '_2010_11', ''), '_previous_five_years', ''), '.', 1)
            when 'investigations' then ''
            else 'category=' || replace(replace(row_code, '_2010_11', ''), '_previous_five_years', '')
        end as breakdown,
        case when row_code like '%2010@_11' escape '@' then '2010-11' else 'previous_five_years' end
            as period,
        sum(n)::double as value,
        count(distinct force_code) filter (n is not null) as forces_included
    from number
    where sheet = 'comparators' and row_code not like 'cards%'
    group by row_code
),

per_month as (
    select
        'investigations_per_month' as measure, breakdown, t.period, value / months.months as value,
        forces_included
    from (select * from case_total union all select * from comparator_total) as t
    join months using (period)
    where breakdown = '' or regexp_full_match(breakdown, 'category=[a-z_]+')
),

card_total as (
    select
        'cards_held' as measure, 'year=' || substr(row_code, 7) as breakdown,
        'collection' as period, sum(n)::double as value,
        count(distinct force_code) filter (n is not null) as forces_included
    from number where sheet = 'comparators' and row_code like 'cards%' group by row_code
),

card_change as (
    select
        'cards_held_change' as measure, '' as breakdown, 'collection' as period,
        sum(later.n - earlier.n)::double as value,
        count(*) filter (later.n - earlier.n is not null) as forces_included
    from number as later join number as earlier using (force_code)
    where later.row_code = 'cards_2012' and earlier.row_code = 'cards_2011'
),

-- spread over forces -----------------------------------------------------------------------------

by_force as (
    select force_code, level, sum(n) as total from leveled
    where outcome is null and (level = '' or regexp_full_match(level, 'category=[a-z_]+'))
    group by force_code, level
),

spread as (
    select 'investigations_per_force' as measure,
        trim(level || ';statistic=' || statistic, ';') as breakdown, 'collection' as period, value,
        forces_included
    from (
        select level, count(*) as forces_included, unnest([
            {'statistic': 'minimum', 'value': min(total)::double},
            {'statistic': 'lower_quartile', 'value': quantile_cont(total, 0.25)::double},
            {'statistic': 'median', 'value': median(total)::double},
            {'statistic': 'mean', 'value': avg(total)::double},
            {'statistic': 'upper_quartile', 'value': quantile_cont(total, 0.75)::double},
            {'statistic': 'maximum', 'value': max(total)::double}
        ], recursive := true)
        from by_force group by level
    )
),

banded as (
    select 'forces_with_investigations' as measure,
        trim(level || ';count=' || band.text, ';') as breakdown, 'collection' as period,
        count(*) filter (total >= low and (high is null or total <= high))::double as value,
        count(*) as forces_included
    from by_force, band group by level, band.text
),

-- registers --------------------------------------------------------------------------------------

register_cell as (
    select force_code, split_part(row_code, '.', 1) as body, split_part(row_code, '.', 2) as kind,
        column_code as decision, n
    from number where sheet = 'registers' and column_code <> 'total'
),

register_sum as (
    select body, kind, decision, sum(n)::double as value,
        count(distinct force_code) filter (n is not null) as forces_included
    from register_cell
    group by grouping sets ((body), (body, kind), (body, decision), (body, kind, decision))
),

register_total as (
    select 'register_entries' as measure,
        'body=' || body || coalesce(';kind=' || kind, '') || coalesce(';decision=' || decision, '')
            as breakdown,
        'collection' as period, value, forces_included
    from register_sum
),

register_share as (
    select 'register_entries_share' as measure,
        'body=' || part.body || coalesce(';kind=' || part.kind, '') || ';decision=' || part.decision
            as breakdown,
        'collection' as period,
        case when whole.value > 0 then part.value * 100 / whole.value end as value,
        part.forces_included
    from register_sum as part join register_sum as whole
        on whole.body = part.body and whole.kind is not distinct from part.kind
        and whole.decision is null
    where part.decision is not null
),

-- second jobs ------------------------------------------------------------------------------------

application as (
    select force_code, row_code, n,
        case when row_code like 'approved@_%' escape '@' then 'approved' else row_code end as decision,
        case row_code when 'approved_conditional' then 'yes' when 'approved_unconditional' then 'no' end
            as conditions
    from number
    where sheet = 'second_jobs' and row_code not like 'breach.%'
        and row_code not in ('total', 'review_months')
),

application_total as (
    select 'second_job_applications' as measure,
        trim(coalesce('decision=' || decision, '') || coalesce(';conditions=' || conditions, ''), ';')
            as breakdown,
        'collection' as period, sum(n)::double as value,
        count(distinct force_code) filter (n is not null) as forces_included
    from application
    group by grouping sets ((), (decision), (decision, conditions))
    having grouping(conditions) = 1 or conditions is not null
),

application_share as (
    select 'second_job_applications_share' as measure, part.breakdown, 'collection' as period,
        case when whole.value > 0 then part.value * 100 / whole.value end as value,
        part.forces_included
    from application_total as part, application_total as whole
    where whole.breakdown = '' and regexp_full_match(part.breakdown, 'decision=[a-z]+')
),

approval_share as (
    select 'second_job_approvals_share' as measure,
        'conditions=' || conditions as breakdown, 'collection' as period,
        case when sum(sum(n)) over () > 0 then sum(n) * 100.0 / sum(sum(n)) over () end as value,
        count(distinct force_code) filter (n is not null) as forces_included
    from application where conditions is not null group by conditions
),

breach_total as (
    select 'second_job_approvals_in_breach' as measure,
        coalesce('occupation=' || substr(row_code, 8), '') as breakdown, 'collection' as period,
        sum(n)::double as value,
        count(distinct force_code) filter (n is not null) as forces_included
    from number where sheet = 'second_jobs' and row_code like 'breach.%'
    group by grouping sets ((), (row_code))
),

review as (
    select 'second_job_review_months' as measure, 'statistic=' || statistic as breakdown,
        'collection' as period, value, forces_included
    from (
        select count(n) as forces_included, unnest([
            {'statistic': 'minimum', 'value': min(n)::double},
            {'statistic': 'median', 'value': median(n)::double},
            {'statistic': 'maximum', 'value': max(n)::double}
        ], recursive := true)
        from number where row_code = 'review_months'
    )
),

-- capability -------------------------------------------------------------------------------------

given as (
    select row_code as question, value as answer, count(*) as forces from cells
    where sheet = 'capability' group by all
),

asked as (
    select row_code as question, count(*) as answered from cells
    where sheet = 'capability' group by all
),

single_answer as (
    select listed.question, listed.answer, listed.position, coalesce(given.forces, 0) as forces,
        coalesce(asked.answered, 0) as answered
    from listed left join given using (question, answer) left join asked using (question)
),

any_answer as (
    select question, answer, forces, answered from single_answer
    union all
    select one.question, one.answer || '|' || other.answer, one.forces + other.forces, one.answered
    from single_answer as one join single_answer as other
        on one.question = other.question and one.position < other.position
    where (select count(*) from listed where listed.question = one.question) > 2
),

capability as (
    select 'capability' as measure, 'question=' || question || ';answer=' || answer as breakdown,
        'collection' as period, case when answered > 0 then forces end::double as value,
        answered as forces_included
    from any_answer
    union all
    select 'capability_share', 'question=' || question || ';answer=' || answer, 'collection',
        case when answered > 0 then forces * 100.0 / answered end, answered
    from any_answer
)

select * from case_total
union all by name select * from suspended_total
union all by name select * from case_share
union all by name select * from comparator_total
union all by name select * from per_month
union all by name select * from card_total
union all by name select * from card_change
union all by name select * from spread
union all by name select * from banded
union all by name select * from register_total
union all by name select * from register_share
union all by name select * from application_total
union all by name select * from application_share
union all by name select * from approval_share
union all by name select * from breach_total
union all by name select * from review
union all by name select * from capability

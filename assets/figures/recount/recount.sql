-- Every national total of the returns, computed from the live cells alone.
--
-- This is the second engine: it shares no code, tables or ideas with assets/figures/totals/, so that the
-- two do not make the same mistake. Which cells a figure is of was read from the template by its
-- own reader (recount.py); here it is only counted.
--
-- Given: `cells` (force_code, sheet, row_code, column_code, value); `part` (measure, breakdown,
-- period, role, sheet, row_code, column_code): which cells are the value of a figure, or the
-- numerator and denominator of a percent; `rated` and `spread` (measure, breakdown, period): the
-- totals that have a monthly rate, and a spread over forces; `single` (measure, statistic, cell):
-- statistics of one entry; `ends` (measure, sign, cell): what a change goes from (-1) and to (1);
-- `offered` (measure, question, answers, answer, cell): the answers that a figure counts;
-- `band` (text, low, high): bands of counts, high null for none; `months` (period, months).
-- Returns: measure, breakdown, period, value, forces_included.

with number as (
    select *, try_cast(value as bigint) as n from cells
),

counted as (
    select part.measure, part.breakdown, part.period, part.role, number.force_code, number.n
    from part join number using (sheet, row_code, column_code)
),

total as (
    select measure, breakdown, period, sum(n)::double as value,
        count(distinct force_code) filter (n is not null) as forces_included
    from counted where role = 'value' group by measure, breakdown, period
),

percent as (
    select measure, breakdown, period,
        case when sum(n) filter (role = 'denominator') > 0
            then sum(n) filter (role = 'numerator') * 100
                / sum(n) filter (role = 'denominator') end::double as value,
        count(distinct force_code) filter (role = 'numerator' and n is not null)
            as forces_included
    from counted where role <> 'value' group by measure, breakdown, period
),

per_month as (
    select measure || '_per_month' as measure, breakdown, period, value / months as value,
        forces_included
    from total join rated using (measure, breakdown, period) join months using (period)
),

-- spread over forces -----------------------------------------------------------------------------

by_force as (
    select measure, breakdown, force_code, sum(n) as held
    from counted join spread using (measure, breakdown, period)
    where role = 'value' group by measure, breakdown, force_code having sum(n) is not null
),

statistic as (
    select measure || '_per_force' as measure,
        concat_ws(';', nullif(breakdown, ''), 'statistic=' || name) as breakdown,
        'collection' as period, value, forces_included
    from (
        select measure, breakdown, count(*) as forces_included, unnest([
            {'name': 'minimum', 'value': min(held)::double},
            {'name': 'lower_quartile', 'value': quantile_cont(held, 0.25)::double},
            {'name': 'median', 'value': median(held)::double},
            {'name': 'mean', 'value': avg(held)::double},
            {'name': 'upper_quartile', 'value': quantile_cont(held, 0.75)::double},
            {'name': 'maximum', 'value': max(held)::double}
        ], recursive := true)
        from by_force group by measure, breakdown
    )
),

banded as (
    select 'forces_with_' || measure as measure,
        concat_ws(';', nullif(breakdown, ''), 'count=' || band.text) as breakdown,
        'collection' as period,
        count(*) filter (held >= low and (high is null or held <= high))::double as value,
        count(*) as forces_included
    from by_force, band group by measure, breakdown, band.text
),

of_one_entry as (
    select measure, 'statistic=' || statistic as breakdown, 'collection' as period,
        case statistic
            when 'minimum' then min(n) when 'maximum' then max(n) when 'mean' then avg(n)
            when 'median' then median(n) when 'lower_quartile' then quantile_cont(n, 0.25)
            when 'upper_quartile' then quantile_cont(n, 0.75)
        end::double as value,
        count(n) as forces_included
    from single join number using (sheet, row_code, column_code) group by measure, statistic
),

-- change along a dimension -----------------------------------------------------------------------

known_end as (
    select measure, force_code, sum(n) filter (sign = 1) as later,
        sum(n) filter (sign = -1) as earlier
    from ends join number using (sheet, row_code, column_code) group by measure, force_code
),

change as (
    select measure || '_change' as measure, '' as breakdown, 'collection' as period,
        sum(later - earlier)::double as value,
        count(*) filter (later - earlier is not null) as forces_included
    from known_end group by measure
),

-- answers ----------------------------------------------------------------------------------------

answered as (
    select measure, question, answers,
        count(distinct force_code) filter (value = answer) as gave,
        count(distinct force_code) filter (value is not null) as asked
    from offered left join cells using (sheet, row_code, column_code)
    group by measure, question, answers
),

answer as (
    select measure, 'question=' || question || ';answer=' || answers as breakdown,
        'collection' as period, case when asked > 0 then gave end::double as value,
        asked as forces_included
    from answered
    union all
    select measure || '_share', 'question=' || question || ';answer=' || answers, 'collection',
        case when asked > 0 then gave * 100.0 / asked end, asked
    from answered
)

select * from total
union all by name select * from percent
union all by name select * from per_month
union all by name select * from statistic
union all by name select * from banded
union all by name select * from of_one_entry
union all by name select * from change
union all by name select * from answer

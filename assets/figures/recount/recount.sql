-- Every national total of the returns, computed from the live cells alone.
--
-- This is the second engine: it shares no code, tables or ideas with assets/figures/totals/, so that the
-- two do not make the same mistake. The template's file was read by a reader of its own (recount.py).
--
-- Given: `cells` (force_code, sheet, row_code, column_code, value); `place` (sheet, row_code, column_code,
-- measure, period, codes: key and value of each, grouped: under the code of a group, answers): what
-- each counted cell is; `level` (id, kind, measure, name, keys, within, without, crossed, listed): the
-- figures that are at some keys: `value`, `share`, `per_month`, `per_force`, `single` and `change`; `band` (text,
-- low, high): bands of counts, high null for none; `months` (period, months).
-- Makes: figure (measure, breakdown, period, value, forces_included); whole (measure, whole): what all
-- cells that count a measure hold, each once, or how many hold an answer.

create temp table placed as
select * replace (map_from_entries(codes) as codes), map_keys(map_from_entries(codes)) as has
from place;

create temp view number as
select *, try_cast(value as bigint) as n from cells;

-- Each cell at each level whose keys it has. What was asked of an earlier period stands for itself.
create temp table matched as
select level.*, placed.* exclude (measure), list_position(listed, codes[keys[1]]) as nth,
    array_to_string([k || '=' || codes[k] for k in keys], ';') as breakdown,
    array_to_string([k || '=' || codes[k] for k in within], ';') as of_whole
from level join placed using (measure)
where list_has_all(has, keys) and (crossed or not grouped)
    and (without is null or not list_contains(has, without))
    and (period = 'collection' or (kind = 'per_month' and has = keys))
union all by name
select placed.*, measure as name, 'value' as kind,
    array_to_string([k || '=' || codes[k] for k in has], ';') as breakdown
from placed where period <> 'collection' and not grouped;

create temp table counted as
select id, kind, measure, name, listed, breakdown, of_whole, grouped, period, force_code, n
from matched join number using (sheet, row_code, column_code);

create temp view total as
select name as measure, breakdown, period, sum(n)::double as value,
    count(distinct force_code) filter (n is not null) as forces_included
from counted where kind = 'value' group by name, breakdown, period;

create temp view part_and_whole as
select *, sum(n) over (partition by id, of_whole) as whole from counted where kind = 'share';

create temp view percent as
select name as measure, breakdown, period, sum(n) * 100 / nullif(max(whole), 0)::double as value,
    count(distinct force_code) filter (n is not null) as forces_included
from part_and_whole group by name, breakdown, period;

create temp view per_month as
select rated.name as measure, breakdown, period, value / months as value, forces_included
from total join (select distinct measure, name, breakdown, period from matched
    where kind = 'per_month') as rated using (measure, breakdown, period)
join months using (period);

-- spread over forces -----------------------------------------------------------------------------

create temp view by_force as
select kind, measure, name, listed, breakdown, force_code, sum(n) as held
from counted where kind in ('per_force', 'single')
group by all having sum(n) is not null;

create temp view spread as
select name as measure, listed, breakdown, count(*) as forces_included, unnest([
    {'statistic': 'minimum', 'value': min(held)::double},
    {'statistic': 'lower_quartile', 'value': quantile_cont(held, 0.25)::double},
    {'statistic': 'median', 'value': median(held)::double},
    {'statistic': 'mean', 'value': avg(held)::double},
    {'statistic': 'upper_quartile', 'value': quantile_cont(held, 0.75)::double},
    {'statistic': 'maximum', 'value': max(held)::double}
], recursive := true)
from by_force group by name, listed, breakdown;

create temp view statistic as
select measure, concat_ws(';', nullif(breakdown, ''), 'statistic=' || statistic) as breakdown,
    'collection' as period, value, forces_included
from spread where listed is null or list_contains(listed, statistic);

create temp view banded as
select 'forces_with_' || measure as measure,
    concat_ws(';', nullif(breakdown, ''), 'count=' || band.text) as breakdown,
    'collection' as period,
    count(*) filter (held >= low and (high is null or held <= high))::double as value,
    count(*) as forces_included
from by_force, band where kind = 'per_force' group by measure, breakdown, band.text;

-- change along a dimension, from the first code that is counted to the last -----------------------

create temp view ends as
select *, min(nth) over (partition by name) as first, max(nth) over (partition by name) as last
from matched where kind = 'change';

create temp view known_end as
select name, force_code, sum(n) filter (nth = last) - sum(n) filter (nth = first) as change
from ends join number using (sheet, row_code, column_code) group by name, force_code;

create temp view change as
select name as measure, '' as breakdown, 'collection' as period, sum(change)::double as value,
    count(change) as forces_included
from known_end group by name;

-- answers: each alone, and of more than two each pair ----------------------------------------------

create temp view offered as
select *, codes['question'] as question, unnest(answers) as answer,
    generate_subscripts(answers, 1) as nth
from placed;

create temp view option as
select *, answer as named, [answer] as given from offered
union all by name
select one.*, one.answer || '|' || other.answer as named, [one.answer, other.answer] as given
from offered as one join offered as other using (sheet, row_code, column_code)
where len(one.answers) > 2 and one.nth < other.nth;

create temp view answered as
select measure, 'question=' || question || ';answer=' || named as breakdown,
    count(distinct force_code) filter (list_contains(given, value)) as gave,
    count(distinct force_code) filter (value is not null) as asked
from option left join cells using (sheet, row_code, column_code)
group by measure, question, named;

create temp table figure as
select * from total
union all by name select * from percent
union all by name select * from per_month
union all by name select * from statistic
union all by name select * from banded
union all by name select * from change
union all by name
select measure, breakdown, 'collection' as period,
    case when asked > 0 then gave end::double as value, asked as forces_included
from answered
union all by name
select measure || '_share' as measure, breakdown, 'collection' as period,
    case when asked > 0 then gave * 100.0 / asked end as value, asked as forces_included
from answered;

create temp view whole as
select measure, coalesce(sum(n), 0) as whole
from (select distinct measure, sheet, row_code, column_code from matched
    where kind = 'value' and period = 'collection')
join number using (sheet, row_code, column_code) group by measure
union all by name
select measure, count(value) as whole
from (select distinct measure, sheet, row_code, column_code from offered)
join cells using (sheet, row_code, column_code) group by measure;

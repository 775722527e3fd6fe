-- Rules M that can be told of the totals and the cells. Makes `told` (rule_id, nth, message): what does not
-- hold, by the level it is at.
--
-- Given, besides the tables of recount.sql: `national` (that mart); `published` (measure, breakdown,
-- period); `region` (force_code): forces that are in one; `most` (share, cases) and `moving` (change,
-- cases): the limits of M006 and M007, null for none.

create temp table main as
select measure, (select any_value(keys[1]) from level as l where l.measure = level.measure and l.crossed
    and len(l.keys) = 1) as across
from level where kind = 'value' and not crossed and len(keys) = 0 and without is null order by id limit 1;

create temp table figure_now as
select *, coalesce(nullif(breakdown, ''), 'all') as called,
    list_filter(string_split(breakdown, ';'), lambda part: part <> '') as parts
from national where period = 'collection';

-- The parts of totals by one dimension that were published.
create temp view printed as
select distinct measure, breakdown, split_part(breakdown, '=', 1) as key from published
where period = 'collection' and breakdown not like '%;%'
    and split_part(breakdown, '=', 1) in (select unnest(keys) from level);

-- Each sum, and others of the measure all of whose cells are among its own.
create temp table nested as
with sized as (
    select name as measure, breakdown, id, keys, grouped, sheet, row_code, column_code,
        count(*) over (partition by name, breakdown, id) as cells
    from matched where kind = 'value' and period = 'collection'
)
select measure, whole.breakdown, whole.cells, part.id, part.keys, part.grouped,
    part.breakdown as part, part.cells as part_cells
from sized as whole join sized as part using (measure, sheet, row_code, column_code)
where part.breakdown <> whole.breakdown group by all having count(*) = part.cells;

create temp view divided as
select measure, nested.breakdown, array_to_string(keys, ' and ') as by_keys,
    sum(coalesce(value, 0)) as parts_value
from nested left join (select measure, breakdown as part, value from figure_now) using (measure, part)
where not grouped group by all having sum(part_cells) = cells;

-- Statistics in their order, and bands of counts, beside what stands before either.
create temp view spread_now as
select *, regexp_replace(breakdown, ';?(statistic|count)=[^;]*$', '') as stem, list_position(
    ['minimum', 'lower_quartile', 'median', 'upper_quartile', 'maximum'],
    regexp_extract(breakdown, 'statistic=(.*)$', 1)) as rank
from figure_now left join band on regexp_extract(breakdown, 'count=(.*)$', 1) = text;

create temp view at_most as
select measure, part as breakdown, measure as of, breakdown as whole from nested
union select measure, '', of, whole from inside
union select measure, small.breakdown, measure, large.breakdown
from spread_now as small join spread_now as large using (measure, stem)
where small.rank < large.rank or (small.text <> large.text and small.low >= large.low
    and coalesce(small.high <= large.high, large.high is null));

create temp table held as
select id, kind, measure, name, breakdown, of_whole, grouped, force_code, sum(n)::bigint as n
from counted where kind in ('value', 'share') and period = 'collection' and n is not null group by all;

-- What each force in the whole of a share holds of it; `part` is null where it holds none.
create temp table shared as
select figure.*, whole.force_code, whole.n as whole, held.n as part
from (select distinct id, measure, name, breakdown, of_whole from held where kind = 'share') as figure
join (select id, of_whole, force_code, sum(n)::bigint as n from held group by all) as whole
    using (id, of_whole)
left join held on held.id = figure.id and held.breakdown = figure.breakdown
    and held.force_code = whole.force_code;

create temp view without_one as
select id, breakdown, force_code, sum(part) over figure as held,
    held / sum(whole) over figure as share,
    (held - part) / nullif(sum(whole) over figure - whole, 0) / share - 1 as moved
from shared semi join main using (measure) join level using (id)
where part is not null and len(keys) = 1 and len(within) = 0
window figure as (partition by id, breakdown);

create temp view told as
select 'M002' as rule_id, 0 as nth, format(
    '{} {} is {:g}, but its parts by {} add up to {:g}', measure, called, value, by_keys, parts_value
) as message
from figure_now join divided using (measure, breakdown) where value <> parts_value
union all
select 'M003', 0, format(
    '{}: what was published by {} exceeds the whole {:g}', whole.called, key, whole.value)
from main join figure_now as whole using (measure) join figure_now as part using (measure)
join printed on printed.measure = main.measure and list_contains(part.parts, printed.breakdown)
where (whole.breakdown = '' or starts_with(whole.breakdown, across || '=') and len(whole.parts) = 1)
    and key is distinct from across
    and len(part.parts) = len(whole.parts) + 1 and list_has_all(part.parts, whole.parts)
group by whole.breakdown, key, whole.called, whole.value
having sum(coalesce(part.value, 0)) > whole.value
union all
select 'M006', id, format('{} has {} of {} in {}', force_code, n, whole, breakdown)
from (select *, sum(n) over (partition by id, breakdown)::bigint as whole from held where kind = 'value')
join level using (id) semi join main on main.measure = level.measure cross join most
where not grouped and without is null and len(keys) between 1 and if(crossed, 1, 2)
    and whole >= cases and n > whole * share
union all
select 'M007', id, format(
    'without {} the share of {} {}', force_code, split_part(breakdown, '=', 2),
    coalesce(format('moves {:+.0f}%', moved * 100), 'is of nothing'))
from without_one cross join moving
where held >= cases and coalesce(abs(moved) > change, true)
union all
select 'M008', 0, format(
    '{} {} {:g} is above {} {} {:g}', small.measure, small.called, small.value, large.measure,
    large.called, large.value)
from at_most join figure_now as small using (measure, breakdown)
join figure_now as large on large.measure = at_most.of and large.breakdown = at_most.whole
where small.value > large.value
union all
select 'M009', 0, format('regions add up to {}, the nation is {:g}', placed, value)
from main join figure_now using (measure) cross join (
    select coalesce(sum(n), 0)::bigint as placed from held semi join main using (measure)
    semi join region using (force_code) where kind = 'value' and breakdown = '')
where breakdown = '' and value <> placed
union all
select 'M012', id, format(
    '{} {}: {} of the {} forces in its whole do not hold it; among the others it is {}', name, breakdown,
    count(*) - count(part), count(*), coalesce(format('{:.1f} per cent',
        sum(part) * 100 / nullif(sum(whole) filter (part is not null), 0)), 'unknown'))
from shared group by id, name, breakdown having count(part) < count(*);

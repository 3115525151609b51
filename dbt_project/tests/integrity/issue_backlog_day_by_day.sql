-- Computes the backlog a second time, day by day, by comparing each day with each period in which an issue was open.
-- Instants before the first day or after the last day count on that day.
with found as (
    select * from {{ ref('issue_backlog_daily') }}
),

ends as (
    select
        min(day_on) as first_on,
        max(day_on) as last_on
    from found
),

periods as (
    select
        coalesce(least({{ production_day('recorded.opened_at') }}, ends.last_on), ends.first_on) as opened_on,
        greatest(
            coalesce(least({{ production_day('recorded.opened_at') }}, ends.last_on), ends.first_on), ends.first_on
        ) as counted_on,
        case
            when recorded.resolved_at is not null
                then greatest(least({{ production_day('recorded.resolved_at') }}, ends.last_on), ends.first_on)
        end as resolved_on
    from {{ ref('int_issues__open_periods') }} as recorded
    cross join ends
),

looked_at as (
    select
        found.day_on,
        periods.*,
        {{ days_from('periods.opened_on', 'found.day_on') }} as age,
        periods.resolved_on is null or periods.resolved_on > found.day_on as is_open
    from found
    left join periods on found.day_on >= periods.opened_on
),

expected as (
    select
        day_on,
        count(*) filter (where counted_on = day_on) as opened_count,
        count(*) filter (where resolved_on = day_on) as resolved_count,
        count(*) filter (where is_open) as open_count,
        count(*) filter (where is_open and age <= 7) as to_7,
        count(*) filter (where is_open and age between 8 and 30) as to_30,
        count(*) filter (where is_open and age between 31 and 90) as to_90,
        count(*) filter (where is_open and age > 90) as over_90
    from looked_at
    group by day_on
)

select found.day_on
from found
inner join expected on found.day_on = expected.day_on
where
    found.opened_count <> expected.opened_count
    or found.resolved_count <> expected.resolved_count
    or found.open_count <> expected.open_count
    or found.open_count_0_to_7_days <> expected.to_7
    or found.open_count_8_to_30_days <> expected.to_30
    or found.open_count_31_to_90_days <> expected.to_90
    or found.open_count_over_90_days <> expected.over_90
union all
-- Fails if issues have been open but no day was compared.
select min(periods.opened_on) as day_on
from periods
where (select count(*) from found) = 0
having count(*) > 0

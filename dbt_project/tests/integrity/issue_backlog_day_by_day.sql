-- The backlog again, day by day: each day looks at each time an issue was open.
with periods as (
    select
        {{ production_day('opened_at') }} as opened_on,
        coalesce({{ production_day('resolved_at') }}, date '9999-12-31') as resolved_on
    from {{ ref('int_issues__open_periods') }}
),

found as (
    select * from {{ ref('issue_backlog_daily') }}
),

expected as (
    select
        found.day_on,
        count(*) filter (where periods.opened_on = found.day_on) as opened_count,
        count(*) filter (where periods.resolved_on = found.day_on) as resolved_count,
        count(*) filter (where periods.resolved_on > found.day_on) as open_count,
        count(*) filter (where periods.resolved_on > found.day_on and found.day_on - periods.opened_on <= 7) as to_7,
        count(*) filter (where periods.resolved_on > found.day_on and found.day_on - periods.opened_on between 8 and 30)
            as to_30,
        count(*) filter (
            where periods.resolved_on > found.day_on and found.day_on - periods.opened_on between 31 and 90
        ) as to_90,
        count(*) filter (where periods.resolved_on > found.day_on and found.day_on - periods.opened_on > 90) as over_90
    from found
    left join periods on found.day_on >= periods.opened_on and found.day_on <= periods.resolved_on
    group by found.day_on
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
-- Issues have been open, and no day was compared.
select min(periods.opened_on) as day_on
from periods
where (select count(*) from found) = 0
having count(*) > 0

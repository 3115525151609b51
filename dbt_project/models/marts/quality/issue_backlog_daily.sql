with periods as (
    select
        is_from_history,
        period_number,
        {{ production_day('opened_at') }} as opened_on,
        {{ production_day('resolved_at') }} as resolved_on
    from {{ ref('int_issues__open_periods') }}
),

-- What changes at the end of a day: an open issue enters the oldest bucket it is old enough for, and leaves it for the
-- next, or when it is resolved.
buckets (bucket, from_days, until_days) as (
    values ('0_to_7', 0, 8), ('8_to_30', 8, 31), ('31_to_90', 31, 91), ('over_90', 91, null)
),

stays as (
    select
        buckets.bucket,
        periods.opened_on + buckets.from_days as entered_on,
        least(periods.resolved_on, periods.opened_on + buckets.until_days) as left_on
    from periods
    cross join buckets
    where periods.resolved_on is null or periods.resolved_on > periods.opened_on + buckets.from_days
),

changes as (
    select
        entered_on as changed_on,
        bucket,
        1 as change
    from stays
    union all
    select
        left_on as changed_on,
        bucket,
        -1 as change
    from stays
    where left_on is not null
),

daily_changes as (
    select
        changed_on,
        sum(change) as open_change,
        sum(change) filter (where bucket = '0_to_7') as change_0_to_7,
        sum(change) filter (where bucket = '8_to_30') as change_8_to_30,
        sum(change) filter (where bucket = '31_to_90') as change_31_to_90,
        sum(change) filter (where bucket = 'over_90') as change_over_90
    from changes
    group by changed_on
),

opened as (
    select
        opened_on,
        count(*) as opened_count,
        count(*) filter (where period_number > 1) as reopened_count
    from periods
    group by opened_on
),

resolved as (
    select
        resolved_on,
        count(*) as resolved_count
    from periods
    where resolved_on is not null
    group by resolved_on
),

first_load as (
    select {{ production_day('min(valid_from)') }} as first_loaded_on
    from {{ ref('stg_ion_history__issues') }}
),

days as (
    select calendar_on as day_on
    from {{ ref('calendar') }}
    where
        calendar_on >= (select min(periods.opened_on) from periods)
        and calendar_on <= greatest({{ last_loaded_day() }}, (select max(periods.opened_on) from periods))
)

select
    days.day_on,
    coalesce(opened.opened_count, 0) as opened_count,
    coalesce(opened.reopened_count, 0) as reopened_count,
    coalesce(resolved.resolved_count, 0) as resolved_count,
    coalesce(cast(sum(daily_changes.open_change) over so_far as bigint), 0) as open_count,
    coalesce(cast(sum(daily_changes.change_0_to_7) over so_far as bigint), 0) as open_count_0_to_7_days,
    coalesce(cast(sum(daily_changes.change_8_to_30) over so_far as bigint), 0) as open_count_8_to_30_days,
    coalesce(cast(sum(daily_changes.change_31_to_90) over so_far as bigint), 0) as open_count_31_to_90_days,
    coalesce(cast(sum(daily_changes.change_over_90) over so_far as bigint), 0) as open_count_over_90_days,
    days.day_on > first_load.first_loaded_on as is_from_history
from days
cross join first_load
left join daily_changes on days.day_on = daily_changes.changed_on
left join opened on days.day_on = opened.opened_on
left join resolved on days.day_on = resolved.resolved_on
window so_far as (order by days.day_on)
order by days.day_on

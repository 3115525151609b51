with recorded as (
    select
        period_number,
        {{ production_day('opened_at') }} as opened_on,
        {{ production_day('resolved_at') }} as resolved_on
    from {{ ref('int_issues__open_periods') }}
),

days as (
    select calendar_on as day_on
    from {{ ref('calendar') }}
    where
        calendar_on >= coalesce((select min(recorded.opened_on) from recorded), {{ last_loaded_day() }})
        and calendar_on <= greatest(
            {{ last_loaded_day() }},
            (select max(recorded.opened_on) from recorded),
            (select max(recorded.resolved_on) from recorded)
        )
        and (select count(*) from recorded) > 0
),

ends as (
    select
        min(day_on) as first_on,
        max(day_on) as last_on
    from days
),

-- Timestamps may be wrong: an instant before the first day of the calendar, or after its last day, counts on that day.
periods as (
    select
        recorded.period_number,
        coalesce(least(recorded.opened_on, ends.last_on), ends.first_on) as opened_on,
        case
            when recorded.resolved_on is not null
                then greatest(least(recorded.resolved_on, ends.last_on), ends.first_on)
        end as resolved_on
    from recorded
    cross join ends
),

-- An open issue enters an age bucket when it is old enough and leaves it for the next bucket or when it is resolved;
-- only these changes are summed.
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
        greatest(stays.entered_on, ends.first_on) as changed_on,
        stays.bucket,
        1 as change
    from stays
    cross join ends
    union all
    select
        greatest(stays.left_on, ends.first_on) as changed_on,
        stays.bucket,
        -1 as change
    from stays
    cross join ends
    where stays.left_on is not null
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
        greatest(periods.opened_on, ends.first_on) as opened_on,
        count(*) as opened_count,
        count(*) filter (where periods.period_number > 1) as reopened_count
    from periods
    cross join ends
    group by greatest(periods.opened_on, ends.first_on)
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

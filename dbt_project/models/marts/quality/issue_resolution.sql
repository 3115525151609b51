with periods as (
    select
        *,
        {{ production_day('opened_at') }} as opened_on,
        {{ production_day('resolved_at') }} as resolved_on
    from {{ ref('int_issues__open_periods') }}
),

dispositions as (
    select * from {{ ref('int_issues__dispositions') }}
),

issue_parts as (
    select distinct
        issue_id,
        part_number
    from {{ ref('issue_units') }}
),

-- An issue on units of two parts counts with each part; an issue without units counts without a part.
classed as (
    select
        periods.*,
        issue_parts.part_number,
        dispositions.disposition_category
    from periods
    inner join dispositions on periods.issue_id = dispositions.issue_id
    left join issue_parts on periods.issue_id = issue_parts.issue_id
),

resolved as (
    select
        {{ period_start('month', 'resolved_on') }} as month_starts_on,
        part_number,
        disposition_category,
        count(*) as resolved_issue_part_count,
        count(*) filter (where not is_from_history) as inferred_issue_part_count,
        avg({{ hours_between('opened_at', 'resolved_at') }} / 24) as mean_days_to_close,
        {{ quantile_of(hours_between('opened_at', 'resolved_at') ~ ' / 24', 0.5) }} as median_days_to_close,
        {{ quantile_of(hours_between('opened_at', 'resolved_at') ~ ' / 24', 0.9) }} as p90_days_to_close
    from classed
    where resolved_on is not null
    group by month_starts_on, part_number, disposition_category
),

months as (
    select
        month_starts_on,
        least(max(calendar_on), {{ last_loaded_day() }}) as month_ends_on
    from {{ ref('calendar') }}
    where calendar_on >= (select min(periods.opened_on) from periods) and calendar_on <= {{ last_loaded_day() }}
    group by month_starts_on
),

still_open as (
    select
        months.month_starts_on,
        classed.part_number,
        classed.disposition_category,
        count(*) as open_issue_part_count,
        avg({{ days_from('classed.opened_on', 'months.month_ends_on') }}) as mean_open_age_days,
        {{ quantile_of(days_from('classed.opened_on', 'months.month_ends_on'), 0.5) }} as median_open_age_days,
        max({{ days_from('classed.opened_on', 'months.month_ends_on') }}) as oldest_open_age_days
    from months
    inner join classed
        on
            months.month_ends_on >= classed.opened_on
            and (classed.resolved_on is null or months.month_ends_on < classed.resolved_on)
    group by months.month_starts_on, classed.part_number, classed.disposition_category
),

both_sides as (
    select
        coalesce(resolved.month_starts_on, still_open.month_starts_on) as month_starts_on,
        coalesce(resolved.part_number, still_open.part_number) as part_number,
        coalesce(resolved.disposition_category, still_open.disposition_category) as disposition_category,
        coalesce(resolved.resolved_issue_part_count, 0) as resolved_issue_part_count,
        coalesce(resolved.inferred_issue_part_count, 0) as inferred_issue_part_count,
        resolved.mean_days_to_close,
        resolved.median_days_to_close,
        resolved.p90_days_to_close,
        coalesce(still_open.open_issue_part_count, 0) as open_issue_part_count,
        still_open.mean_open_age_days,
        still_open.median_open_age_days,
        still_open.oldest_open_age_days
    from resolved
    full outer join still_open
        on
            resolved.month_starts_on = still_open.month_starts_on
            and resolved.part_number is not distinct from still_open.part_number
            and resolved.disposition_category = still_open.disposition_category
)

select
    {{ date_label('month_starts_on', '%Y-%m') }} || '/' || coalesce(part_number, '') || '/' || disposition_category
        as issue_resolution_key,
    *
from both_sides
order by month_starts_on, part_number, disposition_category

with runs as (
    select
        procedure_id,
        procedure_title,
        procedure_version,
        status,
        redline_count,
        coalesce(first_started_at, case when status = 'CANCELED' then updated_at end) as counted_at
    from {{ ref('runs') }}
    where procedure_id is not null
),

dated as (
    select
        *,
        {{ day_in_zone('counted_at', organization_setting('production_time_zone')) }} as counted_on,
        coalesce(status = 'CANCELED', false) as is_cancelled
    from runs
    where counted_at is not null
),

periods as (
    {% for period_type in period_types() %}
        select
            *,
            '{{ period_type }}' as period_type,
            {{ period_start(period_type, 'counted_on') }} as period_start_on
        from dated
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

summed as (
    select
        procedure_id,
        period_type,
        period_start_on,
        procedure_title,
        procedure_version,
        count(*) filter (where not is_cancelled) as runs_started,
        count(*) filter (where not is_cancelled and redline_count > 0) as runs_redlined,
        coalesce(sum(redline_count) filter (where not is_cancelled), 0) as redlines,
        count(*) filter (where is_cancelled) as runs_cancelled
    from periods
    group by procedure_id, period_type, period_start_on, procedure_title, procedure_version
)

select
    procedure_id,
    period_type,
    period_start_on,
    procedure_title,
    procedure_version,
    runs_started,
    runs_redlined,
    runs_redlined / nullif(runs_started, 0) as redline_rate,
    cast(redlines as bigint) as redlines,
    redlines / nullif(runs_started, 0) as redlines_per_run,
    runs_cancelled
from summed
order by period_type, procedure_id, period_start_on

{#- The marts `redline_rates…`, for a period of 'day', 'week' or 'month'. -#}
{% macro redline_rates_of(period) %}
{%- set period_on = period_column(period) %}
with runs as (
    select
        procedure_id,
        procedure_title,
        procedure_version,
        part_id,
        part_number,
        part_revision,
        status,
        redline_count,
        coalesce(first_started_at, case when status = 'CANCELED' then updated_at end) as counted_at
    from {{ ref('runs') }}
    where procedure_id is not null
),

dated as (
    select
        *,
        {{ production_day('counted_at') }} as counted_on,
        coalesce(status = 'CANCELED', false) as is_cancelled
    from runs
    where counted_at is not null
),

summed as (
    select
        {{ period_of(period, 'counted_on') }} as {{ period_on }},
        procedure_id,
        part_id,
        max(procedure_title) as procedure_title,
        max(procedure_version) as procedure_version,
        -- A run whose unit's part ION withholds shows its own part.
        max(part_number) as part_number,
        max(part_revision) as part_revision,
        count(*) filter (where not is_cancelled) as runs_started,
        count(*) filter (where not is_cancelled and redline_count > 0) as runs_redlined,
        coalesce(sum(redline_count) filter (where not is_cancelled), 0) as redlines,
        count(*) filter (where is_cancelled) as runs_cancelled
    from dated
    group by {{ period_of(period, 'counted_on') }}, procedure_id, part_id
)

select
    {{ join_texts('/', [
        'cast(procedure_id as string)', 'cast(part_id as string)', 'cast(' ~ period_on ~ ' as string)'
    ]) }} as redline_rate_key,
    {{ period_on }},
    procedure_id,
    procedure_title,
    procedure_version,
    part_id,
    part_number,
    part_revision,
    runs_started,
    runs_redlined,
    runs_redlined / nullif(runs_started, 0) as redline_rate,
    cast(redlines as bigint) as redlines,
    redlines / nullif(runs_started, 0) as redlines_per_run,
    runs_cancelled
from summed
order by procedure_id, part_number, part_id, {{ period_on }}
{% endmacro %}

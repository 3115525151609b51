{{ config(materialized='table') }}

with measurements as (
    select
        run_step_field_id,
        step_field_id,
        part_id,
        serial_number,
        measured_at,
        value_number,
        is_export_controlled,
        'individuals/' || step_field_id || '/' || coalesce(cast(part_id as varchar), '-') as chart_key
    from {{ ref('measurements') }}
    where
        field_type = 'NUMBER'
        and value_number is not null
        and step_field_id is not null
        and not is_not_applicable
        and not is_cancelled
),

baselines as (
    select * from {{ ref('chart_baselines') }}
),

ordered as (
    select
        *,
        row_number() over in_time as point_number,
        value_number - lag(value_number) over in_time as change
    from measurements
    window in_time as (partition by step_field_id, part_id order by measured_at, run_step_field_id)
)

select
    ordered.run_step_field_id,
    ordered.chart_key,
    ordered.step_field_id,
    ordered.part_id,
    ordered.serial_number,
    ordered.point_number,
    ordered.measured_at,
    ordered.value_number,
    ordered.change,
    case
        when own.starts_at is null
            then ordered.point_number <= coalesce(own.baseline_points, defaults.baseline_points)
        else ordered.measured_at >= own.starts_at and (own.ends_at is null or ordered.measured_at < own.ends_at)
    end as is_baseline,
    ordered.is_export_controlled
from ordered
left join baselines as own on ordered.chart_key = own.chart_key
left join baselines as defaults on defaults.chart_key = 'default'
order by ordered.step_field_id, ordered.part_id, ordered.point_number

{{ config(materialized='table') }}

with measurements as (
    select * from {{ ref('measurements') }}
    where
        field_type = 'NUMBER'
        and value_number is not null
        and step_field_id is not null
        and not is_not_applicable
        and not is_cancelled
),

step_fields as (
    select
        step_field_id,
        nullif(trim(unit), '') as field_unit
    from {{ ref('stg_ion__step_fields') }}
),

-- A result without a unit uses the unit of its field.
in_units as (
    select
        measurements.run_step_field_id,
        measurements.step_field_id,
        measurements.part_id,
        measurements.serial_number,
        measurements.measured_at,
        measurements.value_number,
        measurements.is_export_controlled,
        step_fields.field_unit,
        coalesce(nullif(trim(measurements.unit), ''), step_fields.field_unit) as unit
    from measurements
    left join step_fields on measurements.step_field_id = step_fields.step_field_id
),

-- Results recorded in a unit other than that of the field have a chart of their own.
charted as (
    select
        *,
        concat(
            'individuals/',
            step_field_id,
            '/',
            coalesce(cast(part_id as string), '-'),
            case when unit is distinct from field_unit then '/' || unit else '' end
        ) as chart_key
    from in_units
),

baselines as (
    select * from {{ ref('chart_baselines') }}
),

ordered as (
    select
        *,
        row_number() over in_time as point_number,
        lag(value_number) over in_time as value_before
    from charted
    window in_time as (partition by chart_key order by measured_at, run_step_field_id)
)

select
    ordered.run_step_field_id,
    ordered.chart_key,
    ordered.step_field_id,
    ordered.part_id,
    ordered.serial_number,
    ordered.unit,
    ordered.point_number,
    ordered.measured_at,
    ordered.value_number,
    {{ difference_of('ordered.value_number', 'ordered.value_before') }} as change,
    case
        when own.starts_at is null
            then ordered.point_number <= coalesce(own.baseline_points, defaults.baseline_points)
        else ordered.measured_at >= own.starts_at and (own.ends_at is null or ordered.measured_at < own.ends_at)
    end as is_baseline,
    ordered.is_export_controlled
from ordered
left join baselines as own on ordered.chart_key = own.chart_key
left join baselines as defaults on defaults.chart_key = 'default'
order by ordered.step_field_id, ordered.part_id, ordered.chart_key, ordered.point_number

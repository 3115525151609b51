with individuals as (
    select * from {{ ref('int_quality__individuals') }}
),

-- The moving range chart has the points of the individuals chart from the second on; its sigma is chosen so that its
-- upper limit is 3.267 mean moving ranges.
moving_ranges as (
    select
        *,
        abs(change) as moving_range,
        mean_moving_range * (3.267 - 1) / 3 as moving_range_sigma
    from individuals
    where change is not null
),

points as (
    select
        'individuals' as chart_type,
        chart_key,
        point_number,
        step_field_id,
        cast(null as bigint) as step_id,
        part_id,
        run_step_field_id,
        serial_number,
        unit,
        measured_at,
        cast(null as date) as production_on,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        value_number as chart_value,
        is_baseline,
        baseline_count,
        centre,
        sigma,
        sigmas_from_centre,
        is_beyond,
        rules_broken,
        is_export_controlled
    from individuals
    union all
    select
        'moving_range' as chart_type,
        moving_range_key as chart_key,
        point_number,
        step_field_id,
        null as step_id,
        part_id,
        run_step_field_id,
        serial_number,
        unit,
        measured_at,
        null as production_on,
        null as numerator,
        null as denominator,
        moving_range as chart_value,
        is_baseline_change as is_baseline,
        baseline_count - 1 as baseline_count,
        mean_moving_range as centre,
        moving_range_sigma as sigma,
        {{ sigmas_from_centre('(moving_range - mean_moving_range)', 'moving_range_sigma') }} as sigmas_from_centre,
        {{ is_beyond_limits('(moving_range - mean_moving_range)', 'moving_range_sigma') }} as is_beyond,
        null as rules_broken,
        is_export_controlled
    from moving_ranges
    union all
    select
        chart_type,
        chart_key,
        point_number,
        null as step_field_id,
        step_id,
        null as part_id,
        null as run_step_field_id,
        null as serial_number,
        null as unit,
        null as measured_at,
        production_on,
        numerator,
        denominator,
        chart_value,
        is_baseline,
        baseline_count,
        centre,
        sigma,
        sigmas_from_centre,
        is_beyond,
        null as rules_broken,
        false as is_export_controlled
    from {{ ref('int_quality__attribute_points') }}
),

rules_on as (
    {{ chart_rules_on() }}
),

-- Only the first rule of each set applies to charts whose points are not independent and normally distributed.
judged as (
    select
        points.*,
        coalesce(points.rules_broken, {{ rules_broken({
            'western_electric_1': 'points.is_beyond',
            'nelson_1': 'points.is_beyond',
        }, 'rules_on') }}) as all_rules_broken
    from points
    cross join rules_on
)

select
    judged.chart_key,
    judged.point_number,
    judged.chart_type,
    judged.run_step_field_id,
    judged.measured_at,
    judged.production_on,
    case when judged.chart_type = 'p' then judged.numerator end as run_steps_failed,
    case when judged.chart_type = 'p' then judged.denominator end as run_steps_ended,
    case when judged.chart_type = 'u' then judged.numerator end as issues_found,
    case when judged.chart_type = 'u' then judged.denominator end as units_ended,
    judged.chart_value,
    judged.centre,
    {{ lower_control_limit('judged') }} as lower_control_limit,
    {{ upper_control_limit('judged') }} as upper_control_limit,
    judged.sigma,
    judged.sigmas_from_centre,
    {{ chart_zone('judged') }} as zone,
    judged.all_rules_broken as rules_broken,
    {{ list_text('judged.all_rules_broken') }} as rules_broken_text,
    judged.is_baseline,
    judged.baseline_count,
    judged.denominator * judged.centre < 5 as is_small_sample,
    judged.step_field_id,
    step_fields.step_field_name as field_name,
    judged.unit,
    coalesce(judged.step_id, step_fields.step_id) as step_id,
    steps.step_title,
    steps.procedure_id,
    steps.procedure_title,
    steps.procedure_version,
    judged.part_id,
    parts.part_number,
    parts.part_revision,
    judged.serial_number,
    coalesce(judged.is_export_controlled, false) or coalesce(steps.is_export_controlled, false) as is_export_controlled
from judged
left join {{ ref('stg_ion__step_fields') }} as step_fields on judged.step_field_id = step_fields.step_field_id
left join {{ ref('procedure_steps') }} as steps on coalesce(judged.step_id, step_fields.step_id) = steps.step_id
left join {{ ref('stg_ion__parts') }} as parts on judged.part_id = parts.part_id
order by judged.chart_type, judged.step_field_id, judged.part_id, judged.step_id, judged.chart_key, judged.point_number

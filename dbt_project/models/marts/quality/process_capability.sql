with measurements as (
    select
        *,
        value_number is not null and not is_cancelled as is_counted
    from {{ ref('measurements') }}
    where field_type = 'NUMBER' and step_field_id is not null
),

ranged as (
    select
        *,
        case when is_counted then value_number end as counted_value,
        case when is_counted then lag(value_number) over (
            partition by step_field_id, part_id, limit_version, is_counted order by measured_at, run_step_field_id
        ) end as value_before
    from measurements
),

chart_points as (
    select
        run_step_field_id,
        chart_key,
        {{ list_length('rules_broken') }} > 0 as is_out_of_control
    from {{ ref('int_quality__individuals') }}
),

results as (
    select
        ranged.*,
        abs({{ difference_of('ranged.counted_value', 'ranged.value_before') }}) as moving_range,
        chart_points.chart_key,
        coalesce(chart_points.is_out_of_control, false) as is_out_of_control
    from ranged
    left join chart_points on ranged.run_step_field_id = chart_points.run_step_field_id
),

counted as (
    select
        step_field_id,
        part_id,
        limit_version,
        max(lower_limit) as lower_limit,
        max(upper_limit) as upper_limit,
        max(target_value) as target_value,
        max(other_limits) as other_limits,
        count(counted_value) as measurement_count,
        min(case when is_counted then measured_at end) as first_measured_at,
        max(case when is_counted then measured_at end) as last_measured_at,
        avg(counted_value) as mean,
        min(counted_value) as minimum,
        max(counted_value) as maximum,
        avg(moving_range) as mean_moving_range,
        -- 1.128 is d2: the expected range of two points, in sigmas.
        nullif(avg(moving_range), 0) / 1.128 as sigma_within,
        -- Tests the range, because floating-point error may keep the standard deviation of equal values above 0.
        case
            when {{ difference_of('max(counted_value)', 'min(counted_value)') }} <> 0
                then nullif(stddev_samp(counted_value), 0)
        end as sigma_overall,
        min(chart_key) as chart_key,
        count(case when is_out_of_control then 1 end) as out_of_control_count,
        count(case when counted_value < lower_limit then 1 end) as below_lower_count,
        count(case when counted_value > upper_limit then 1 end) as above_upper_count,
        count(case when is_counted and not is_within_limits then 1 end) as out_of_limits_count,
        count(case when is_not_applicable then 1 end) as not_applicable_count,
        count(case when is_cancelled and not is_not_applicable then 1 end) as cancelled_count,
        count(case when is_unreadable and not is_cancelled then 1 end) as unreadable_count
    from results
    group by step_field_id, part_id, limit_version
),

limited as (
    select
        *,
        coalesce(lower_limit > upper_limit, false) as has_swapped_limits
    from counted
),

-- A side without a limit has no distance, and neither do swapped limits.
distances as (
    select
        *,
        case when not has_swapped_limits then upper_limit - lower_limit end as tolerance,
        case
            when not has_swapped_limits
                then coalesce(least(upper_limit - mean, mean - lower_limit), upper_limit - mean, mean - lower_limit)
        end as distance_to_nearest_limit
    from limited
)

select
    distances.step_field_id
    || '/' || coalesce(cast(distances.part_id as string), '-')
    || '/' || distances.limit_version as capability_key,
    distances.step_field_id,
    step_fields.step_field_name as field_name,
    step_fields.step_id,
    steps.step_title,
    steps.procedure_id,
    steps.procedure_title,
    steps.procedure_version,
    distances.part_id,
    parts.part_number,
    parts.part_revision,
    distances.limit_version,
    distances.lower_limit,
    distances.upper_limit,
    distances.target_value,
    distances.other_limits,
    distances.has_swapped_limits,
    distances.measurement_count,
    distances.measurement_count < 25 as is_small_sample,
    distances.first_measured_at,
    distances.last_measured_at,
    distances.mean,
    distances.minimum,
    distances.maximum,
    distances.mean_moving_range,
    distances.sigma_within,
    distances.sigma_overall,
    distances.tolerance,
    distances.distance_to_nearest_limit,
    distances.tolerance / (6 * distances.sigma_within) as cp,
    distances.distance_to_nearest_limit / (3 * distances.sigma_within) as cpk,
    distances.tolerance / (6 * distances.sigma_overall) as pp,
    distances.distance_to_nearest_limit / (3 * distances.sigma_overall) as ppk,
    distances.below_lower_count,
    distances.above_upper_count,
    distances.out_of_limits_count,
    distances.not_applicable_count,
    distances.cancelled_count,
    distances.unreadable_count,
    distances.chart_key,
    distances.out_of_control_count,
    case when distances.chart_key is not null then distances.out_of_control_count = 0 end as is_in_control
from distances
left join {{ ref('stg_ion__step_fields') }} as step_fields on distances.step_field_id = step_fields.step_field_id
left join {{ ref('procedure_steps') }} as steps on step_fields.step_id = steps.step_id
left join {{ ref('stg_ion__parts') }} as parts on distances.part_id = parts.part_id
order by distances.step_field_id, distances.part_id, distances.first_measured_at, distances.limit_version

{{ config(meta={
    'rows_by': 'step_field_id',
    'affected_by': {
        'measurements': 'step_field_id',
        'process_capability': 'step_field_id',
    },
}) }}
-- Computes the capability of each field, part revision and limit version a second time: moving ranges from results
-- numbered in time, the standard deviation from squared deviations, and Cpk as the smaller of one index per limit.
with results as (
    select
        step_field_id,
        coalesce(part_id, -1) as part_id,
        limit_version,
        lower_limit,
        upper_limit,
        value_number,
        row_number() over (
            partition by step_field_id, part_id, limit_version order by measured_at, run_step_field_id
        ) as place
    from {{ ref('measurements') }}
    where field_type = 'NUMBER' and step_field_id is not null and value_number is not null and not is_cancelled
),

means as (
    select
        step_field_id,
        part_id,
        limit_version,
        count(*) as measurement_count,
        sum(value_number) / count(*) as mean
    from results
    group by step_field_id, part_id, limit_version
),

spreads as (
    select
        results.step_field_id,
        results.part_id,
        results.limit_version,
        max(means.measurement_count) as measurement_count,
        max(means.mean) as mean,
        max(abs(results.value_number)) as largest,
        min(results.lower_limit) as lower_limit,
        min(results.upper_limit) as upper_limit,
        -- A range within floating-point error is not variation.
        sum(
            case
                when
                    abs(after.value_number - results.value_number)
                    > 1e-12 * greatest(abs(after.value_number), abs(results.value_number))
                    then abs(after.value_number - results.value_number)
                else 0
            end
        ) / nullif(max(means.measurement_count) - 1, 0) as mean_moving_range,
        case
            when
                max(results.value_number) - min(results.value_number)
                > 1e-12 * greatest(abs(max(results.value_number)), abs(min(results.value_number)))
                then sqrt(
                    sum((results.value_number - means.mean) * (results.value_number - means.mean))
                    / nullif(max(means.measurement_count) - 1, 0)
                )
        end as sigma_overall
    from results
    inner join means
        on
            results.step_field_id = means.step_field_id
            and results.part_id = means.part_id
            and results.limit_version = means.limit_version
    left join results as after
        on
            results.step_field_id = after.step_field_id
            and results.part_id = after.part_id
            and results.limit_version = after.limit_version
            and results.place + 1 = after.place
    group by results.step_field_id, results.part_id, results.limit_version
),

sigmas as (
    select
        *,
        nullif(mean_moving_range / 1.128, 0) as sigma_within,
        coalesce(lower_limit > upper_limit, false) as has_swapped_limits
    from spreads
),

expected as (
    select
        *,
        least((upper_limit - mean) / (3 * sigma_within), (mean - lower_limit) / (3 * sigma_within)) as cpk,
        least((upper_limit - mean) / (3 * sigma_overall), (mean - lower_limit) / (3 * sigma_overall)) as ppk,
        (upper_limit - lower_limit) / (6 * sigma_within) as cp,
        (upper_limit - lower_limit) / (6 * sigma_overall) as pp
    from sigmas
),

found as (
    select
        *,
        coalesce(part_id, -1) as joined_part_id
    from {{ ref('process_capability') }}
    where measurement_count > 0
),

left_out as (
    select count(*) as result_count
    from {{ ref('measurements') }}
    where
        field_type = 'NUMBER'
        and step_field_id is not null
        and (is_not_applicable or is_cancelled or value_number is null)
),

published as (
    select coalesce(sum(not_applicable_count + cancelled_count + unreadable_count), 0) as result_count
    from {{ ref('process_capability') }}
)

select
    coalesce(expected.step_field_id, found.step_field_id) as step_field_id,
    coalesce(expected.limit_version, found.limit_version) as limit_version
from expected
full outer join found
    on
        expected.step_field_id = found.step_field_id
        and expected.part_id = found.joined_part_id
        and expected.limit_version = found.limit_version
where
    expected.measurement_count is distinct from found.measurement_count
    or found.is_small_sample is distinct from (expected.measurement_count < 25)
    -- Floating-point sums in another order are equal if they agree to seven digits of the summed values, also near 0.
    {% for column in ['mean', 'mean_moving_range', 'sigma_overall'] %}
        or (expected.{{ column }} is null) is distinct from (found.{{ column }} is null)
        or abs(expected.{{ column }} - found.{{ column }})
        > 1e-7 * abs(expected.{{ column }}) + 1e-12 * expected.largest
    {% endfor %}
    -- An index is as exact as its distances and its sigma.
    {% for column, sigma in {
        'cp': 'sigma_within', 'cpk': 'sigma_within', 'pp': 'sigma_overall', 'ppk': 'sigma_overall'
    }.items() %}
        or (expected.{{ column }} is null or expected.has_swapped_limits)
        is distinct from (found.{{ column }} is null)
        or abs(expected.{{ column }} - found.{{ column }})
        > 1e-7 * abs(expected.{{ column }})
        + (1 + abs(expected.{{ column }})) * 1e-12 * expected.largest / expected.{{ sigma }}
    {% endfor %}
    or expected.has_swapped_limits is distinct from found.has_swapped_limits
union all
-- Results that are left out also have rows: the counts of the mart equal the number of results left out.
select
    null as step_field_id,
    'results left out' as limit_version
from left_out
cross join published
where left_out.result_count is distinct from published.result_count

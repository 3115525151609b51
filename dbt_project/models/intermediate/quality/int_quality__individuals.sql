{{ config(materialized='table') }}

{#- The point itself must be beyond the line, together with enough of the preceding points on the same side. -#}
{%- set two_of_three -%}
    (beyond_two = 1 and beyond_two_of_3 % 100 >= 2 or beyond_two = 100 and beyond_two_of_3 >= 200)
{%- endset -%}
{%- set four_of_five -%}
    (beyond_one = 1 and beyond_one_of_5 % 100 >= 4 or beyond_one = 100 and beyond_one_of_5 >= 400)
{%- endset -%}
with points as (
    select
        chart_values.*,
        limits.baseline_count,
        limits.first_point_number,
        limits.centre,
        limits.mean_moving_range,
        limits.sigma,
        {{ difference_of('chart_values.value_number', 'limits.centre') }} as from_centre
    from {{ ref('int_quality__chart_values') }} as chart_values
    left join {{ ref('int_quality__chart_limits') }} as limits on chart_values.chart_key = limits.chart_key
),

-- Rounded, so that floating-point error does not put a point on a line beyond it. A baseline without variation has a
-- sigma of 0: a point is then either on the centre or off it.
measured as (
    select
        *,
        {{ sigmas_from_centre('from_centre', 'sigma') }} as sigmas_from_centre,
        {{ is_beyond_limits('from_centre', 'sigma') }} as is_beyond
    from points
),

-- The rules count integers; where both sides count separately, the lower side counts in hundreds.
flags as (
    select
        *,
        -- The side of a point does not depend on sigma.
        cast(sign(coalesce(sigmas_from_centre, from_centre)) as integer) as side,
        cast(sign(change) as integer) as direction,
        case when sigma > 0 and abs(sigmas_from_centre) <= 1 then 1 else 0 end as is_within_one,
        case when abs(sigmas_from_centre) > 1 then 1 else 0 end as is_beyond_one,
        {% for name, line in [('beyond_one', 1), ('beyond_two', 2)] %}
            case
                when sigmas_from_centre > {{ line }} then 1
                when sigmas_from_centre < -{{ line }} then 100
                else 0
            end as {{ name }},
        {% endfor %}
        case
            when sign(change) * lag(sign(change)) over (partition by chart_key order by point_number) = -1 then 1
            else 0
        end as is_turn
    from measured
),

counts as (
    select
        *,
        {% for name, flag, length in [
            ('beyond_two_of_3', 'beyond_two', 3),
            ('beyond_one_of_5', 'beyond_one', 5),
            ('sides_of_8', 'side', 8),
            ('sides_of_9', 'side', 9),
            ('directions_of_5', 'direction', 5),
            ('turns_of_12', 'is_turn', 12),
            ('within_one_of_15', 'is_within_one', 15),
            ('beyond_one_of_8', 'is_beyond_one', 8)
        ] %}
            sum({{ flag }}) over (
                partition by chart_key order by point_number rows between {{ length - 1 }} preceding and current row
            ) as {{ name }},
        {% endfor %}
        point_number > first_point_number and is_baseline as is_baseline_change
    from flags
),

rules_on as (
    {{ chart_rules_on() }}
)

select
    counts.run_step_field_id,
    counts.chart_key,
    'moving_range/' || substr(counts.chart_key, length('individuals/') + 1) as moving_range_key,
    counts.step_field_id,
    counts.part_id,
    counts.serial_number,
    counts.unit,
    counts.point_number,
    counts.measured_at,
    counts.value_number,
    counts.change,
    counts.is_baseline,
    counts.is_baseline_change,
    counts.baseline_count,
    counts.centre,
    counts.mean_moving_range,
    counts.sigma,
    counts.sigmas_from_centre,
    counts.is_beyond,
    {{ rules_broken({
        'western_electric_1': 'is_beyond',
        'western_electric_2': two_of_three,
        'western_electric_3': four_of_five,
        'western_electric_4': 'abs(sides_of_8) = 8',
        'nelson_1': 'is_beyond',
        'nelson_2': 'abs(sides_of_9) = 9',
        'nelson_3': 'abs(directions_of_5) = 5',
        'nelson_4': 'turns_of_12 = 12',
        'nelson_5': two_of_three,
        'nelson_6': four_of_five,
        'nelson_7': 'within_one_of_15 = 15',
        'nelson_8': 'beyond_one_of_8 = 8',
    }, 'rules_on') }} as rules_broken,
    counts.is_export_controlled
from counts
cross join rules_on

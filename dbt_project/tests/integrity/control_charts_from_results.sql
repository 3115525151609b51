{{ config(meta={
    'rows_by': 'step_field_id',
    'affected_by': {
        'measurements': 'step_field_id',
        'control_chart_points': 'step_field_id',
        'stg_ion__step_fields': 'step_field_id',
    },
}) }}
-- Computes the charts of measurements a second time: centre and sigma by joining each baseline value to the one before
-- it, and each rule by joining each point to up to fourteen preceding points. Rules are checked on at most 400 charts,
-- because such a join over millions of points would take longer than all other tests.
{%- set in_a_row = 'count(case when back < %d and %s then 1 end) = %d' %}
{%- set some_of -%}
    (max(case when back = 0 then distance end) > %d and count(case when back < %d and distance > %d then 1 end) >= %d)
    or (min(case when back = 0 then distance end) < -%d and count(case when back < %d and distance < -%d then 1 end) >= %d)
{%- endset -%}
{%- set two_of_three = some_of | format(2, 3, 2, 2, 2, 3, 2, 2) %}
{%- set four_of_five = some_of | format(1, 5, 1, 4, 1, 5, 1, 4) %}
{%- set beyond = 'bool_or(back = 0 and is_beyond)' %}
{%- set rules = {
    'western_electric_1': beyond,
    'western_electric_2': two_of_three,
    'western_electric_3': four_of_five,
    'western_electric_4': in_a_row | format(8, 'side > 0', 8) ~ ' or ' ~ in_a_row | format(8, 'side < 0', 8),
    'nelson_1': beyond,
    'nelson_2': in_a_row | format(9, 'side > 0', 9) ~ ' or ' ~ in_a_row | format(9, 'side < 0', 9),
    'nelson_3': in_a_row | format(5, 'rise > 0', 5) ~ ' or ' ~ in_a_row | format(5, 'rise < 0', 5),
    'nelson_4': in_a_row | format(12, 'rise * rise_before < 0', 12),
    'nelson_5': two_of_three,
    'nelson_6': four_of_five,
    'nelson_7': in_a_row | format(15, 'abs(distance) <= 1 and sigma > 0', 15),
    'nelson_8': in_a_row | format(8, 'abs(distance) > 1', 8),
} %}
with results as (
    select
        measurements.run_step_field_id,
        measurements.measured_at,
        measurements.value_number,
        'individuals/' || measurements.step_field_id || '/' || coalesce(cast(measurements.part_id as string), '-')
        || case
            when trim(measurements.unit) <> coalesce(trim(fields.unit), '') and trim(measurements.unit) <> ''
                then '/' || trim(measurements.unit)
            else ''
        end as chart_key
    from {{ ref('measurements') }} as measurements
    left join {{ ref('stg_ion__step_fields') }} as fields on measurements.step_field_id = fields.step_field_id
    where
        measurements.field_type = 'NUMBER'
        and measurements.step_field_id is not null
        and measurements.value_number is not null
        and not measurements.is_cancelled
),

points as (
    select
        *,
        row_number() over (partition by chart_key order by measured_at, run_step_field_id) as place
    from results
),

followed as (
    select
        points.*,
        -- A difference within floating-point error is not a change.
        case
            when
                abs(points.value_number - previous.value_number)
                <= 1e-12 * greatest(abs(points.value_number), abs(previous.value_number))
                then 0
            else points.value_number - previous.value_number
        end as rise,
        previous.measured_at as previous_at,
        coalesce(own.baseline_points, defaults.baseline_points) as baseline_points,
        own.starts_at,
        coalesce(own.ends_at, {{ end_of_time() }}) as ends_at
    from points
    left join points as previous
        on
            points.chart_key = previous.chart_key
            and points.place = previous.place + 1
    left join {{ ref('chart_baselines') }} as own on points.chart_key = own.chart_key
    left join {{ ref('chart_baselines') }} as defaults on defaults.chart_key = 'default'
),

-- The baseline points from which limits are computed, and the changes between two of them.
baselines as (
    select
        chart_key,
        count(*) as baseline_count,
        sum(value_number) / count(*) as centre,
        max(abs(value_number)) as largest,
        avg(case when place > 1 and (starts_at is null or previous_at >= starts_at) then abs(rise) end) / 1.128 as sigma
    from followed
    where
        (starts_at is null and place <= baseline_points)
        or (measured_at >= starts_at and measured_at < ends_at)
    group by chart_key
),

drawn as (
    select
        followed.run_step_field_id,
        followed.chart_key,
        followed.place,
        followed.value_number,
        followed.rise,
        baselines.centre,
        baselines.sigma,
        baselines.baseline_count,
        baselines.largest
    from followed
    left join baselines on followed.chart_key = baselines.chart_key
),

-- Centre and sigma are compared at the end of this test. The rules use centre and sigma of the chart, because sums in
-- another order may move a point on a line to its other side.
measured as (
    select
        run_step_field_id,
        case
            when abs(chart_value - centre) <= 1e-12 * greatest(abs(chart_value), abs(centre)) then 0
            else chart_value - centre
        end as from_centre,
        sigma
    from {{ ref('control_chart_points') }}
    where chart_type = 'individuals'
),

some_charts as (
    select chart_key
    from baselines
    order by chart_key
    limit 400
),

looked_at as (
    select
        drawn.*,
        previous.rise as rise_before,
        measured.sigma as known_sigma,
        case when measured.sigma > 0 then round(measured.from_centre / measured.sigma, 9) end as distance,
        measured.from_centre as side,
        case
            when measured.sigma > 0 then round(abs(measured.from_centre) / measured.sigma, 9) > 3
            when measured.sigma = 0 then measured.from_centre <> 0
        end as is_beyond
    from drawn
    inner join some_charts on drawn.chart_key = some_charts.chart_key
    inner join measured on drawn.run_step_field_id = measured.run_step_field_id
    left join drawn as previous on drawn.chart_key = previous.chart_key and drawn.place = previous.place + 1
),

backs as (
    select distinct place - 1 as back
    from looked_at
    where place <= 15
),

backwards as (
    select
        points.run_step_field_id,
        points.place - earlier.place as back,
        earlier.distance,
        earlier.known_sigma as sigma,
        earlier.is_beyond,
        case when earlier.known_sigma > 0 then earlier.distance else earlier.side end as side,
        earlier.rise,
        earlier.rise_before
    from looked_at as points
    cross join backs
    inner join looked_at as earlier
        on points.chart_key = earlier.chart_key and points.place - backs.back = earlier.place
),

broken as (
    select
        {% for rule, condition in rules.items() %}
            coalesce({{ condition }}, false) as {{ rule }},
        {% endfor %}
        run_step_field_id
    from backwards
    group by run_step_field_id
),

rules_on as (
    select
        {% for rule in rules %}
            coalesce(bool_or(is_on and rule_name = '{{ rule }}'), false) as {{ rule }},
        {% endfor %}
        count(*) as rule_count
    from {{ ref('chart_rules') }}
),

found as (
    select *
    from {{ ref('control_chart_points') }}
    where chart_type = 'individuals'
),

moving_ranges as (
    select *
    from {{ ref('control_chart_points') }}
    where chart_type = 'moving_range'
)

select
    coalesce(drawn.chart_key, found.chart_key, moving_ranges.chart_key) as chart_key,
    coalesce(drawn.place, found.point_number, moving_ranges.point_number) as point_number
from drawn
full outer join found on drawn.run_step_field_id = found.run_step_field_id
full outer join moving_ranges on drawn.run_step_field_id = moving_ranges.run_step_field_id
left join broken on drawn.run_step_field_id = broken.run_step_field_id
cross join rules_on
where
    drawn.chart_key is distinct from found.chart_key
    or drawn.place is distinct from found.point_number
    or drawn.value_number is distinct from found.chart_value
    or drawn.baseline_count is distinct from found.baseline_count
    or abs(drawn.rise) is distinct from moving_ranges.chart_value
    {% for expected, published in {
        'drawn.centre': 'found.centre',
        'drawn.sigma': 'found.sigma',
        'drawn.centre + 3 * drawn.sigma': 'found.upper_control_limit',
        'drawn.centre - 3 * drawn.sigma': 'found.lower_control_limit'
    }.items() %}
        or ({{ expected }} is null) is distinct from ({{ published }} is null)
        or abs({{ expected }} - {{ published }}) > 1e-9 * greatest(abs({{ expected }}), drawn.largest)
    {% endfor %}
    or (
        broken.run_step_field_id is not null
        and (
            {% for rule in rules %}
                (broken.{{ rule }} and rules_on.{{ rule }})
                is distinct from {{ list_has('found.rules_broken', "'" ~ rule ~ "'") }}
                {{ 'or' if not loop.last }}
            {% endfor %}
        )
    )

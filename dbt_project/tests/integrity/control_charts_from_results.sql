-- Charts of measurements again: centre and sigma from the numbers of the baseline joined to those before them, and each
-- rule by looking at the points up to fourteen places back. Rules are of 400 charts at most: a look back from each of
-- millions of points would take longer than all else.
{%- set in_a_row = 'count(case when back < %d and %s then 1 end) = %d' %}
{%- set some_of -%}
    (max(case when back = 0 then distance end) > %d and count(case when back < %d and distance > %d then 1 end) >= %d)
    or (min(case when back = 0 then distance end) < -%d and count(case when back < %d and distance < -%d then 1 end) >= %d)
{%- endset -%}
{%- set two_of_three = some_of | format(2, 3, 2, 2, 2, 3, 2, 2) %}
{%- set four_of_five = some_of | format(1, 5, 1, 4, 1, 5, 1, 4) %}
{%- set beyond = 'max(case when back = 0 then abs(distance) end) > 3' %}
{%- set rules = {
    'western_electric_1': beyond,
    'western_electric_2': two_of_three,
    'western_electric_3': four_of_five,
    'western_electric_4': in_a_row | format(8, 'distance > 0', 8) ~ ' or ' ~ in_a_row | format(8, 'distance < 0', 8),
    'nelson_1': beyond,
    'nelson_2': in_a_row | format(9, 'distance > 0', 9) ~ ' or ' ~ in_a_row | format(9, 'distance < 0', 9),
    'nelson_3': in_a_row | format(5, 'rise > 0', 5) ~ ' or ' ~ in_a_row | format(5, 'rise < 0', 5),
    'nelson_4': in_a_row | format(12, 'rise * rise_before < 0', 12),
    'nelson_5': two_of_three,
    'nelson_6': four_of_five,
    'nelson_7': in_a_row | format(15, 'abs(distance) <= 1', 15),
    'nelson_8': in_a_row | format(8, 'abs(distance) > 1', 8),
} %}
with points as (
    select
        run_step_field_id,
        step_field_id,
        coalesce(part_id, -1) as part_id,
        measured_at,
        value_number,
        'individuals/' || step_field_id || '/' || coalesce(cast(part_id as varchar), '-') as chart_key,
        row_number() over (partition by step_field_id, part_id order by measured_at, run_step_field_id) as place
    from {{ ref('measurements') }}
    where field_type = 'NUMBER' and step_field_id is not null and value_number is not null and not is_cancelled
),

followed as (
    select
        points.*,
        points.value_number - previous.value_number as rise,
        previous.measured_at as previous_at,
        coalesce(own.baseline_points, defaults.baseline_points) as baseline_points,
        own.starts_at,
        coalesce(own.ends_at, {{ end_of_time() }}) as ends_at
    from points
    left join points as previous
        on
            points.step_field_id = previous.step_field_id
            and points.part_id = previous.part_id
            and points.place = previous.place + 1
    left join {{ ref('chart_baselines') }} as own on points.chart_key = own.chart_key
    left join {{ ref('chart_baselines') }} as defaults on defaults.chart_key = 'default'
),

-- What the limits are made of, and the changes between two such points.
baselines as (
    select
        step_field_id,
        part_id,
        count(*) as baseline_count,
        sum(value_number) / count(*) as centre,
        nullif(avg(case
            when place > 1 and (starts_at is null or previous_at >= starts_at) then abs(rise)
        end), 0) / 1.128 as sigma
    from followed
    where
        (starts_at is null and place <= baseline_points)
        or (measured_at >= starts_at and measured_at < ends_at)
    group by step_field_id, part_id
),

drawn as (
    select
        followed.run_step_field_id,
        followed.step_field_id,
        followed.part_id,
        followed.chart_key,
        followed.place,
        followed.value_number,
        followed.rise,
        baselines.centre,
        baselines.sigma,
        baselines.baseline_count,
        round((followed.value_number - baselines.centre) / baselines.sigma, 9) as distance
    from followed
    left join baselines on followed.step_field_id = baselines.step_field_id and followed.part_id = baselines.part_id
),

some_charts as (
    select points.chart_key
    from baselines
    inner join points on baselines.step_field_id = points.step_field_id and baselines.part_id = points.part_id
    where points.place = 1
    order by points.chart_key
    limit 400
),

looked_at as (
    select
        drawn.*,
        previous.rise as rise_before
    from drawn
    inner join some_charts on drawn.chart_key = some_charts.chart_key
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
    {% for expected, told in {
        'drawn.centre': 'found.centre',
        'drawn.sigma': 'found.sigma',
        'drawn.centre + 3 * drawn.sigma': 'found.upper_control_limit',
        'drawn.centre - 3 * drawn.sigma': 'found.lower_control_limit'
    }.items() %}
        or ({{ expected }} is null) is distinct from ({{ told }} is null)
        or abs({{ expected }} - {{ told }}) > 1e-9 * greatest(abs({{ expected }}), abs(drawn.centre))
    {% endfor %}
    -- Points within a billionth of a sigma of a line may fall on either side of it.
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

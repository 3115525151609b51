with chart_values as (
    select * from {{ ref('int_quality__chart_values') }}
),

-- A moving range belongs to the baseline only if both of its points do, so the one into the first point does not.
baselines as (
    select
        chart_key,
        count(*) as baseline_count,
        min(point_number) as first_point_number,
        sum(value_number) / count(*) as centre
    from chart_values
    where is_baseline
    group by chart_key
),

moving_ranges as (
    select
        chart_values.chart_key,
        avg(abs(chart_values.change)) as mean_moving_range
    from chart_values
    inner join baselines on chart_values.chart_key = baselines.chart_key
    where chart_values.is_baseline and chart_values.point_number > baselines.first_point_number
    group by chart_values.chart_key
)

select
    baselines.chart_key,
    baselines.baseline_count,
    baselines.first_point_number,
    baselines.centre,
    moving_ranges.mean_moving_range,
    -- 1.128 is d2: the expected range of two points, in sigmas.
    moving_ranges.mean_moving_range / 1.128 as sigma
from baselines
left join moving_ranges on baselines.chart_key = moving_ranges.chart_key

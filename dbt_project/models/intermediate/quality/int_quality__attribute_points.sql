{{ config(materialized='table') }}

with subgroups as (
    select * from {{ ref('int_quality__step_subgroups') }}
),

charts as (
    select
        'p' as chart_type,
        'p/' || step_id as chart_key,
        step_id,
        production_on,
        cast(failed_count as double) as numerator,
        cast(run_step_count as double) as denominator
    from subgroups
    union all
    select
        'u' as chart_type,
        'u/' || step_id as chart_key,
        step_id,
        production_on,
        cast(issue_count as double) as numerator,
        cast(unit_count as double) as denominator
    from subgroups
),

baselines as (
    select * from {{ ref('chart_baselines') }}
),

ordered as (
    select
        *,
        row_number() over (partition by chart_key order by production_on) as point_number
    from charts
),

marked as (
    select
        ordered.*,
        case
            when own.starts_at is null
                then ordered.point_number <= coalesce(own.baseline_points, defaults.baseline_points)
            else
                ordered.production_on >= cast(own.starts_at as date)
                and (own.ends_at is null or ordered.production_on < cast(own.ends_at as date))
        end as is_baseline
    from ordered
    left join baselines as own on ordered.chart_key = own.chart_key
    left join baselines as defaults on defaults.chart_key = 'default'
),

limits as (
    select
        chart_key,
        count(*) as baseline_count,
        sum(numerator) / sum(denominator) as centre
    from marked
    where is_baseline
    group by chart_key
),

scaled as (
    select
        marked.*,
        limits.baseline_count,
        limits.centre,
        marked.numerator / marked.denominator as chart_value,
        {{ difference_of('marked.numerator / marked.denominator', 'limits.centre') }} as from_centre,
        -- Binomial for a fraction, Poisson for a rate; 0 where nothing or everything failed.
        sqrt(
            case when marked.chart_type = 'p' then limits.centre * (1 - limits.centre) else limits.centre end
            / marked.denominator
        ) as sigma
    from marked
    left join limits on marked.chart_key = limits.chart_key
)

select
    *,
    {{ sigmas_from_centre('from_centre', 'sigma') }} as sigmas_from_centre,
    {{ is_beyond_limits('from_centre', 'sigma') }} as is_beyond
from scaled

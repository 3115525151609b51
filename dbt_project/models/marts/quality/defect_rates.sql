with defective as (
    select
        *,
        {{ production_month('opened_at') }} as month_starts_on
    from {{ ref('issue_units') }}
    where part_number is not null
),

worked_pieces as (
    select
        *,
        {{ production_month('first_started_at') }} as month_started_on,
        {{ production_month('first_attempted_at') }} as month_attempted_on
    from {{ ref('int_inventories__worked_pieces') }}
    where part_number is not null
),

opportunities as (
    select * from {{ ref('int_quality__unit_opportunities') }}
),

overrides as (
    select * from {{ ref('defect_opportunities') }}
),

defects as (
    select
        month_starts_on,
        part_number,
        count(distinct issue_id) as issue_part_count,
        count(*) as affected_unit_count,
        sum(quantity_affected) as defect_count
    from defective
    group by month_starts_on, part_number
),

attempted as (
    select
        worked_pieces.month_attempted_on as month_starts_on,
        worked_pieces.part_number,
        sum(worked_pieces.quantity) as quantity_attempted,
        sum(worked_pieces.quantity * opportunities.opportunity_count)
        / nullif(sum(worked_pieces.quantity) filter (where opportunities.opportunity_count is not null), 0)
            as counted_opportunities
    from worked_pieces
    left join opportunities on worked_pieces.worked_part_inventory_id = opportunities.part_inventory_id
    where worked_pieces.month_attempted_on is not null
    group by worked_pieces.month_attempted_on, worked_pieces.part_number
),

started as (
    select
        month_started_on as month_starts_on,
        part_number,
        sum(quantity) as quantity_started
    from worked_pieces
    where month_started_on is not null
    group by month_started_on, part_number
),

-- Hours of closed sessions count in the month in which the session began.
worked_hours as (
    select
        {{ production_month('checked_in_at') }} as month_starts_on,
        part_number,
        sum(hours) as touch_hours
    from {{ ref('labor_sessions') }}
    where hours is not null and checked_in_at is not null and part_number is not null
    group by month_starts_on, part_number
),

keys as (
    select
        month_starts_on,
        part_number
    from defects
    union
    select
        month_starts_on,
        part_number
    from attempted
    union
    select
        month_starts_on,
        part_number
    from started
    union
    select
        month_starts_on,
        part_number
    from worked_hours
),

counted as (
    select
        keys.month_starts_on,
        keys.part_number,
        coalesce(defects.issue_part_count, 0) as issue_part_count,
        coalesce(defects.affected_unit_count, 0) as affected_unit_count,
        coalesce(defects.defect_count, 0) as defect_count,
        coalesce(attempted.quantity_attempted, 0) as quantity_attempted,
        coalesce(started.quantity_started, 0) as quantity_started,
        coalesce(worked_hours.touch_hours, 0) as touch_hours,
        coalesce(overrides.opportunities_per_unit, attempted.counted_opportunities) as opportunities_per_unit,
        case
            when overrides.opportunities_per_unit is not null then 'seed'
            when attempted.counted_opportunities is not null then 'counted'
            else 'unknown'
        end as opportunities_from
    from keys
    left join defects on keys.month_starts_on = defects.month_starts_on and keys.part_number = defects.part_number
    left join attempted on keys.month_starts_on = attempted.month_starts_on and keys.part_number = attempted.part_number
    left join started on keys.month_starts_on = started.month_starts_on and keys.part_number = started.part_number
    left join worked_hours
        on keys.month_starts_on = worked_hours.month_starts_on and keys.part_number = worked_hours.part_number
    left join overrides on keys.part_number = overrides.part_number
),

rated as (
    select
        *,
        defect_count / nullif(quantity_attempted, 0) as dpu,
        quantity_attempted * opportunities_per_unit as opportunity_count,
        defect_count / nullif(quantity_attempted * opportunities_per_unit, 0) as dpo
    from counted
)

select
    month_starts_on,
    part_number,
    issue_part_count,
    affected_unit_count,
    defect_count,
    quantity_attempted,
    dpu,
    opportunities_per_unit,
    opportunities_from,
    opportunity_count,
    dpo,
    dpo * 1000000 as dpmo,
    case
        when dpo > 0 and dpo < 1
            then {{ normal_quantile('1 - dpo') }} + cast({{ organization_setting('sigma_shift') }} as double)
    end as sigma_level,
    quantity_started,
    issue_part_count / nullif(quantity_started, 0) as issues_per_unit_started,
    touch_hours,
    100 * issue_part_count / nullif(touch_hours, 0) as issues_per_100_touch_hours
from rated
order by month_starts_on, part_number

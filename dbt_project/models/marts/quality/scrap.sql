with scrapped_units as (
    select
        *,
        {{ production_month('scrapped_at') }} as month_starts_on
    from {{ ref('scrapped_units') }}
    where part_number is not null
),

scrapped_pieces as (
    select
        part_inventory_id,
        sum(quantity_scrapped) as quantity_scrapped
    from scrapped_units
    group by part_inventory_id
),

worked_pieces as (
    select
        *,
        {{ production_month('first_completed_at') }} as month_starts_on
    from {{ ref('int_inventories__worked_pieces') }}
    where first_completed_at is not null and part_number is not null
),

-- What came out of the runs and is not scrapped.
completed as (
    select
        worked_pieces.month_starts_on,
        worked_pieces.part_number,
        sum(worked_pieces.quantity - coalesce(scrapped_pieces.quantity_scrapped, 0)) as quantity_completed
    from worked_pieces
    left join scrapped_pieces on worked_pieces.part_inventory_id = scrapped_pieces.part_inventory_id
    group by worked_pieces.month_starts_on, worked_pieces.part_number
),

scrapped as (
    select
        month_starts_on,
        part_number,
        sum(quantity_scrapped) as quantity_scrapped,
        sum(quantity_scrapped) filter (where recorded_in <> 'issue') as quantity_scrapped_in_inventory,
        sum(quantity_scrapped) filter (where recorded_in = 'issue') as quantity_scrapped_in_issues_only,
        sum(quantity_scrapped) filter (where recorded_in = 'issue' and is_issue_open)
            as quantity_scrapped_in_open_issues,
        count(distinct part_inventory_id) as scrapped_unit_count,
        bool_and(is_from_history) as is_from_history
    from scrapped_units
    group by month_starts_on, part_number
),

made_parts as (
    select distinct part_number from worked_pieces
),

both_sides as (
    select
        coalesce(completed.month_starts_on, scrapped.month_starts_on) as month_starts_on,
        coalesce(completed.part_number, scrapped.part_number) as part_number,
        coalesce(scrapped.quantity_scrapped, 0) as quantity_scrapped,
        coalesce(scrapped.quantity_scrapped_in_inventory, 0) as quantity_scrapped_in_inventory,
        coalesce(scrapped.quantity_scrapped_in_issues_only, 0) as quantity_scrapped_in_issues_only,
        coalesce(scrapped.quantity_scrapped_in_open_issues, 0) as quantity_scrapped_in_open_issues,
        coalesce(scrapped.scrapped_unit_count, 0) as scrapped_unit_count,
        completed.quantity_completed as quantity_out,
        scrapped.is_from_history
    from completed
    full outer join scrapped
        on completed.month_starts_on = scrapped.month_starts_on and completed.part_number = scrapped.part_number
),

-- Of a part that no run has ever completed, what was completed is unknown, not nothing.
known as (
    select
        both_sides.*,
        case when made_parts.part_number is not null then coalesce(both_sides.quantity_out, 0) end
            as quantity_completed
    from both_sides
    left join made_parts on both_sides.part_number = made_parts.part_number
)

select
    month_starts_on,
    part_number,
    quantity_scrapped,
    quantity_scrapped_in_inventory,
    quantity_scrapped_in_issues_only,
    quantity_scrapped_in_open_issues,
    scrapped_unit_count,
    quantity_completed,
    quantity_completed + quantity_scrapped as quantity_completed_and_scrapped,
    quantity_scrapped / nullif(quantity_completed + quantity_scrapped, 0) as scrap_rate,
    is_from_history
from known
order by month_starts_on, part_number

with scrapped_units as (
    select
        *,
        {{ production_month('scrapped_at') }} as month_starts_on
    from {{ ref('scrapped_units') }}
    where part_id is not null
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
    where first_completed_at is not null and part_id is not null
),

-- Pieces that the runs completed and that are not scrapped.
completed as (
    select
        worked_pieces.month_starts_on,
        worked_pieces.part_id,
        sum(greatest(worked_pieces.quantity - coalesce(scrapped_pieces.quantity_scrapped, 0), 0))
            as quantity_completed
    from worked_pieces
    left join scrapped_pieces on worked_pieces.part_inventory_id = scrapped_pieces.part_inventory_id
    group by worked_pieces.month_starts_on, worked_pieces.part_id
),

scrapped as (
    select
        month_starts_on,
        part_id,
        sum(quantity_scrapped) as quantity_scrapped,
        sum(quantity_scrapped) filter (where recorded_in <> 'issue') as quantity_scrapped_in_inventory,
        sum(quantity_scrapped) filter (where recorded_in = 'issue') as quantity_scrapped_in_issues_only,
        sum(quantity_scrapped) filter (where recorded_in = 'issue' and is_issue_open)
            as quantity_scrapped_in_open_issues,
        count(distinct part_inventory_id) as scrapped_unit_count,
        bool_and(is_from_history) as is_from_history
    from scrapped_units
    group by month_starts_on, part_id
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

made_parts as (
    select distinct part_id from worked_pieces
),

both_sides as (
    select
        coalesce(completed.month_starts_on, scrapped.month_starts_on) as month_starts_on,
        coalesce(completed.part_id, scrapped.part_id) as part_id,
        coalesce(scrapped.quantity_scrapped, 0) as quantity_scrapped,
        coalesce(scrapped.quantity_scrapped_in_inventory, 0) as quantity_scrapped_in_inventory,
        coalesce(scrapped.quantity_scrapped_in_issues_only, 0) as quantity_scrapped_in_issues_only,
        coalesce(scrapped.quantity_scrapped_in_open_issues, 0) as quantity_scrapped_in_open_issues,
        coalesce(scrapped.scrapped_unit_count, 0) as scrapped_unit_count,
        completed.quantity_completed as quantity_out,
        scrapped.is_from_history
    from completed
    full outer join scrapped
        on completed.month_starts_on = scrapped.month_starts_on and completed.part_id = scrapped.part_id
),

-- For a part that no run has ever completed, the completed quantity is unknown, not 0.
known as (
    select
        both_sides.*,
        case when made_parts.part_id is not null then coalesce(both_sides.quantity_out, 0) end
            as quantity_completed
    from both_sides
    left join made_parts on both_sides.part_id = made_parts.part_id
)

select
    known.month_starts_on,
    known.part_id,
    parts.part_number,
    parts.part_revision,
    known.quantity_scrapped,
    known.quantity_scrapped_in_inventory,
    known.quantity_scrapped_in_issues_only,
    known.quantity_scrapped_in_open_issues,
    known.scrapped_unit_count,
    known.quantity_completed,
    known.quantity_completed + known.quantity_scrapped as quantity_completed_and_scrapped,
    known.quantity_scrapped / nullif(known.quantity_completed + known.quantity_scrapped, 0) as scrap_rate,
    known.is_from_history
from known
left join parts on known.part_id = parts.part_id
order by known.month_starts_on, parts.part_number, known.part_id

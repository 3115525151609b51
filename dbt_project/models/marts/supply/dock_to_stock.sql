with items as (
    select * from {{ ref('receipts') }}
    where receipt_item_id is not null
),

parts as (
    select * from {{ ref('parts') }}
),

inspections as (
    select * from {{ ref('runs') }}
    where procedure_type = 'INSPECTION' and part_inventory_id is not null
),

versions as (
    select * from {{ ref('stg_ion_history__part_inventories') }}
),

first_load as (
    select * from {{ ref('int_loads__first') }}
),

loads as (
    select max(read_at) as as_of_at from {{ ref('stg_ion__loads') }}
),

-- Where a lot was received several times, an inspection belongs to the last receipt before it was created.
received as (
    select
        *,
        lead(received_at) over (partition by part_inventory_id order by received_at, receipt_item_id)
            as next_received_at
    from items
),

inspected as (
    select
        received.receipt_item_id,
        count(*) as inspection_count,
        count(*) filter (where inspections.is_finished) as inspections_finished,
        count(*) filter (where inspections.status in ('COMPLETE', 'PARTIAL_COMPLETE')) as inspections_completed,
        min(inspections.first_started_at) as inspection_started_at,
        max(inspections.last_completed_at) as last_completed_at
    from received
    inner join inspections on received.part_inventory_id = inspections.part_inventory_id
    where
        inspections.created_at >= received.received_at
        and coalesce(inspections.created_at < received.next_received_at, true)
    group by received.receipt_item_id
),

-- Usable: free, or already used. In work is not, because an inspection is work.
usable as (
    select
        part_inventory_id,
        valid_from,
        coalesce(valid_to, {{ end_of_time() }}) as valid_until
    from versions
    where status in ('AVAILABLE', 'KITTED', 'INSTALLED')
),

first_usable as (
    select
        received.receipt_item_id,
        min(usable.valid_from) as valid_from
    from received
    inner join usable on received.part_inventory_id = usable.part_inventory_id
    where usable.valid_until > received.received_at
    group by received.receipt_item_id
),

timed as (
    select
        received.*,
        inspected.inspection_count,
        inspected.inspections_completed,
        inspected.inspection_started_at,
        loads.as_of_at,
        case when inspected.inspection_count = inspected.inspections_finished then inspected.last_completed_at end
            as inspected_at,
        case
            when first_usable.receipt_item_id is null then 'not yet'
            when first_usable.valid_from <= first_load.valid_from then 'before the first load'
            else 'history'
        end as availability_from,
        case
            when first_usable.valid_from > first_load.valid_from
                then greatest(first_usable.valid_from, received.received_at)
        end as available_at
    from received
    cross join first_load
    cross join loads
    left join inspected on received.receipt_item_id = inspected.receipt_item_id
    left join first_usable on received.receipt_item_id = first_usable.receipt_item_id
)

select
    timed.receipt_item_id,
    timed.receipt_id,
    timed.purchase_order_id,
    timed.purchase_order_line_id,
    timed.supplier_id,
    timed.supplier_name,
    timed.part_inventory_id,
    timed.part_id,
    timed.part_number,
    timed.part_revision,
    timed.serial_number,
    timed.lot_number,
    timed.quantity,
    parts.unit_of_measure,
    timed.received_at,
    coalesce(timed.inspection_count, 0) as inspection_count,
    coalesce(timed.inspections_completed, 0) as inspections_completed,
    timed.inspection_started_at,
    timed.inspected_at,
    timed.available_at,
    timed.availability_from,
    {{ hours_between('timed.received_at', 'timed.inspection_started_at') }} as hours_to_inspection,
    {{ hours_between('timed.received_at', 'timed.inspected_at') }} as hours_to_inspected,
    {{ hours_between('timed.received_at', 'timed.available_at') }} as dock_to_stock_hours,
    case when timed.availability_from = 'not yet' then {{ hours_between('timed.received_at', 'timed.as_of_at') }} end
        as hours_waiting,
    timed.as_of_at,
    timed.is_export_controlled
from timed
left join parts on timed.part_id = parts.part_id
order by timed.received_at, timed.receipt_item_id

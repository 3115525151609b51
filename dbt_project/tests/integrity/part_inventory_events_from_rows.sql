-- Each unit that was ever read begins once, and ends if it is not there; its changes of quantity lead from the first
-- version to the last; what is installed and received now has its event.
with versions as (
    select
        *,
        row_number() over (partition by part_inventory_id order by valid_from) as place,
        row_number() over (partition by part_inventory_id order by valid_from desc) as place_from_end
    from {{ ref('stg_ion_history__part_inventories') }}
),

lives as (
    select
        part_inventory_id,
        sum(case when place = 1 then quantity end) as first_quantity,
        sum(case when place_from_end = 1 then quantity end) as last_quantity,
        count(quantity) = count(*) as is_known
    from versions
    group by part_inventory_id
),

installed as (
    select
        child_part_inventory_id as part_inventory_id,
        count(*) as installation_count
    from {{ ref('abom_installations') }}
    group by child_part_inventory_id
),

received as (
    select
        items.part_inventory_id,
        count(*) as receipt_count
    from {{ source('ion', 'receipt_items') }} as items
    inner join {{ source('ion', 'receipts') }} as receipts on items.receipt_id = receipts.id
    group by items.part_inventory_id
),

expected as (
    select
        lives.part_inventory_id,
        case when lives.is_known then lives.last_quantity - lives.first_quantity end as quantity_changed,
        coalesce(installed.installation_count, 0) as installation_count,
        coalesce(received.receipt_count, 0) as receipt_count,
        case when present.id is null then 1 else 0 end as end_count
    from lives
    left join {{ source('ion', 'part_inventories') }} as present on lives.part_inventory_id = present.id
    left join installed on lives.part_inventory_id = installed.part_inventory_id
    left join received on lives.part_inventory_id = received.part_inventory_id
),

found as (
    select
        part_inventory_id,
        count(*) filter (where event_type in ('created', 'split_from')) as begin_count,
        count(*) filter (where event_type in ('deleted', 'merged_into')) as end_count,
        count(*) filter (where event_type = 'received') as receipt_count,
        count(*) filter (where event_type = 'installed') - count(*) filter (where event_type = 'removed')
            as installation_count,
        coalesce(sum(case when event_type = 'quantity' then quantity end), 0) as quantity_changed
    from {{ ref('part_inventory_events') }}
    group by part_inventory_id
)

select coalesce(expected.part_inventory_id, found.part_inventory_id) as part_inventory_id
from expected
full outer join found on expected.part_inventory_id = found.part_inventory_id
where
    found.begin_count is distinct from 1
    or found.end_count is distinct from expected.end_count
    or found.receipt_count is distinct from expected.receipt_count
    or found.installation_count is distinct from expected.installation_count
    or abs(found.quantity_changed - expected.quantity_changed) > 1e-9

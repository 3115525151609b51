-- Computes the items of kits and their totals a second time, from ION's rows.
with issued as (
    select
        part_kit_item_id,
        sum(issued_quantity) as quantity
    from {{ source('ion', 'part_kit_item_part_inventories') }}
    group by part_kit_item_id
),

items as (
    select
        items.id,
        items.part_kit_id,
        coalesce(issued.quantity, 0) as quantity_picked,
        case
            when items.quantity_unfulfilled is not null then items.quantity_unfulfilled > 0
            else items.quantity > coalesce(issued.quantity, 0)
        end as is_short
    from {{ source('ion', 'part_kit_items') }} as items
    left join issued on items.id = issued.part_kit_item_id
),

kits as (
    select
        kits.id,
        kits.status,
        count(items.id) as item_count,
        sum(case when items.is_short then 1 else 0 end) as items_short
    from {{ source('ion', 'part_kits') }} as kits
    left join items on kits.id = items.part_kit_id
    group by kits.id, kits.status
)

select
    'item' as what,
    coalesce(items.id, found.part_kit_item_id) as finding
from items
full outer join {{ ref('kit_items') }} as found on items.id = found.part_kit_item_id
where
    items.id is null
    or found.part_kit_item_id is null
    or items.is_short is distinct from found.is_short
    or abs(items.quantity_picked - found.quantity_picked) > 1e-9 * abs(items.quantity_picked)
union all
select
    'kit' as what,
    coalesce(kits.id, found.part_kit_id) as finding
from kits
full outer join {{ ref('kits') }} as found on kits.id = found.part_kit_id
where
    kits.id is null
    or found.part_kit_id is null
    or kits.item_count <> found.item_count
    or kits.items_short <> found.items_short
    or found.items_fulfilled + found.items_short > found.item_count
    or found.is_open is distinct from coalesce(kits.status not in ('DELIVERED', 'COMPLETED', 'CANCELED'), true)
    or (found.hours_late is not null) is distinct from coalesce(found.is_late, false)

with lives as (
    select
        part_inventory_id,
        max(part_id) as part_id,
        max(serial_number) as serial_number,
        max(lot_number) as lot_number,
        max(origin_part_inventory_id) as origin_part_inventory_id,
        {{ first_of('quantity', 'valid_from') }} as first_quantity,
        {{ first_of('quantity', 'valid_from desc') }} as last_quantity,
        min(created_at) as created_at,
        min(created_by_id) as created_by_id,
        min(valid_from) as valid_from,
        max(coalesce(valid_to, {{ end_of_time() }})) as valid_until
    from {{ ref('stg_ion_history__part_inventories') }}
    group by part_inventory_id
),

gone as (
    select
        *,
        sum(last_quantity) over (partition by part_id, valid_until) as quantity_gone,
        count(*) over (partition by part_id, valid_until) as count_gone
    from lives
    where valid_until < {{ end_of_time() }}
),

-- ION deletes the rows that it merges and creates one with their sum. A new unit of the same part is taken as theirs if
-- the load that no longer found them found it first, its quantity is their sum, and no other unit is so.
merged as (
    select
        gone.part_inventory_id,
        min(lives.part_inventory_id) as merged_into_part_inventory_id
    from gone
    inner join lives on gone.part_id = lives.part_id and gone.valid_until = lives.valid_from
    where
        gone.count_gone > 1
        and lives.origin_part_inventory_id is null
        and abs(lives.first_quantity - gone.quantity_gone) <= 1e-9 * abs(gone.quantity_gone)
    group by gone.part_inventory_id
    having count(*) = 1
)

select
    lives.part_inventory_id,
    lives.part_id,
    lives.serial_number,
    lives.lot_number,
    lives.origin_part_inventory_id,
    lives.first_quantity,
    lives.last_quantity,
    lives.created_at,
    lives.created_by_id,
    lives.valid_from,
    nullif(lives.valid_until, {{ end_of_time() }}) as gone_at,
    merged.merged_into_part_inventory_id
from lives
left join merged on lives.part_inventory_id = merged.part_inventory_id

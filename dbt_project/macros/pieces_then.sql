{#-
    The quantities that lots held at given instants, computed only from raw rows, for tests of the models with the same
    content. It goes down from each lot to its splits, whereas int_inventories__worked_quantities goes up from each
    split.

    asked: name of a CTE with part_inventory_id and asked_at. Returns both, whether the inventory still exists
    (is_known), its quantity, and the quantity now held by its splits.
-#}
{% macro pieces_then(asked) -%}
    (
        with recursive inventories as (
            select
                id,
                origin_part_inventory_id as origin_id,
                _created as created_at,
                serial_number,
                case
                    when serial_number is not null then 1
                    else coalesce(quantity, 0) + coalesce(quantity_scrapped, 0)
                end as quantity
            from {{ source('ion', 'part_inventories') }}
        ),

        versions as (
            select
                id,
                _updated as updated_at,
                valid_from,
                case
                    when serial_number is not null then 1
                    else coalesce(quantity, 0) + coalesce(quantity_scrapped, 0)
                end as quantity
            from {{ source('ion_history', 'part_inventories') }}
        ),

        before as (
            select
                later.id,
                later.valid_from,
                max(earlier.valid_from) as valid_from_before
            from versions as later
            inner join versions as earlier on later.id = earlier.id and later.valid_from > earlier.valid_from
            group by later.id, later.valid_from
        ),

        -- A version counts from ION's own change time, else from the load that read it; the first version counts for
        -- all earlier time.
        states as (
            select
                versions.id,
                versions.valid_from,
                versions.quantity,
                before.id is null as is_first,
                case
                    when versions.updated_at <= earlier.updated_at then versions.valid_from
                    else versions.updated_at
                end as reached_at
            from versions
            left join before on versions.id = before.id and versions.valid_from = before.valid_from
            left join versions as earlier
                on before.id = earlier.id and before.valid_from_before = earlier.valid_from
        ),

        asked_once as (
            select distinct
                part_inventory_id,
                asked_at
            from {{ asked }}
        ),

        seen as (
            select
                asked_once.part_inventory_id,
                asked_once.asked_at,
                max(states.valid_from) as seen_at
            from asked_once
            inner join states on asked_once.part_inventory_id = states.id
            where states.is_first or states.reached_at <= asked_once.asked_at
            group by asked_once.part_inventory_id, asked_once.asked_at
        ),

        below as (
            select
                lots.id as lot_id,
                children.id,
                children.created_at as left_at,
                children.created_at as began_at,
                1 as depth,
                {{ list_append(list_with('lots.id'), 'children.id') }} as path_ids
            from (select distinct part_inventory_id as id from asked_once) as lots
            inner join inventories as children on lots.id = children.origin_id and lots.id <> children.id
            union all
            select
                below.lot_id,
                children.id,
                below.left_at,
                children.created_at as began_at,
                below.depth + 1 as depth,
                {{ list_append('below.path_ids', 'children.id') }} as path_ids
            from below
            inner join inventories as children on below.id = children.origin_id
            where below.depth < {{ var('split_max_depth') }} and not {{ list_has('below.path_ids', 'children.id') }}
        ),

        split_off as (
            select
                below.*,
                inventories.quantity,
                coalesce(states.quantity, inventories.quantity) as first_quantity
            from below
            inner join inventories on below.id = inventories.id
            left join states on below.id = states.id and states.is_first
        ),

        moved as (
            select
                asked_once.part_inventory_id,
                asked_once.asked_at,
                sum(split_off.quantity) filter (where split_off.left_at > asked_once.asked_at) as split_off_since,
                sum(split_off.first_quantity) filter (
                    where split_off.left_at > asked_once.asked_at and split_off.began_at <= seen.seen_at
                ) as to_add,
                sum(split_off.first_quantity) filter (
                    where
                    split_off.depth = 1
                    and split_off.left_at > seen.seen_at
                    and split_off.left_at <= asked_once.asked_at
                ) as to_take
            from asked_once
            inner join split_off on asked_once.part_inventory_id = split_off.lot_id
            left join seen
                on asked_once.part_inventory_id = seen.part_inventory_id and asked_once.asked_at = seen.asked_at
            group by asked_once.part_inventory_id, asked_once.asked_at
        ),

        runs as (
            select
                part_inventory_id,
                max(quantity) as quantity
            from {{ source('ion', 'runs') }}
            where
                id in (
                    select run_steps.run_id
                    from {{ source('ion', 'run_steps') }} as run_steps
                    where
                        run_steps.status is distinct from 'CANCELED'
                        and coalesce(run_steps.start_time, run_steps.end_time) is not null
                )
            group by part_inventory_id
        ),

        weighed as (
            select
                asked_once.part_inventory_id,
                asked_once.asked_at,
                inventories.id is not null as is_known,
                inventories.serial_number,
                inventories.quantity as quantity_now,
                states.quantity + coalesce(moved.to_add, 0) - coalesce(moved.to_take, 0) as quantity_seen,
                coalesce(moved.split_off_since, 0) as split_off_since,
                coalesce(runs.quantity, 1) as quantity_of_run
            from asked_once
            left join inventories on asked_once.part_inventory_id = inventories.id
            left join seen
                on asked_once.part_inventory_id = seen.part_inventory_id and asked_once.asked_at = seen.asked_at
            left join states on seen.part_inventory_id = states.id and seen.seen_at = states.valid_from
            left join moved
                on asked_once.part_inventory_id = moved.part_inventory_id and asked_once.asked_at = moved.asked_at
            left join runs on asked_once.part_inventory_id = runs.part_inventory_id
        )

        select
            part_inventory_id,
            asked_at,
            is_known,
            case
                when serial_number is not null then 1
                when quantity_seen > 0 then quantity_seen
                when is_known then quantity_now + split_off_since
                else quantity_of_run
            end as quantity,
            split_off_since
        from weighed
    )
{%- endmacro %}

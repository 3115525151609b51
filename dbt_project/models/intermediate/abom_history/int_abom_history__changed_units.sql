{{ config(materialized='table') }}

with recursive lines as (
    select * from {{ ref('int_abom_history__lines') }}
),

units as (
    select * from {{ ref('int_abom_history__units') }}
),

remade as (
    select
        before.part_inventory_id,
        (before.part_id is distinct from after.part_id) as is_other_part,
        after.valid_from as changed_at
    from units as before
    inner join units as after
        on before.part_inventory_id = after.part_inventory_id and before.valid_until = after.valid_from
    where
        before.valid_until < {{ end_of_time() }}
        and (before.part_id is distinct from after.part_id or before.pieces is distinct from after.pieces)
),

-- A unit whose part revision changed is a change for every unit that contains it. The same holds for a lot whose
-- quantity changed, if it holds anything: the content per piece changes.
other_content as (
    select remade.*
    from remade
    left join lines
        on
            remade.part_inventory_id = lines.parent_part_inventory_id
            and remade.changed_at >= lines.valid_from
            and remade.changed_at < lines.valid_until
    where remade.is_other_part or lines.line_key is not null
),

-- A change of a unit is a change of every unit that contains it at that instant. `union` ends the recursion on a cycle
-- too.
changed as (
    {{ rounds_begin() }}
    select
        part_inventory_id,
        changed_at
    from {{ ref('int_abom_history__line_changes') }}
    where change <> 'unchanged'

    union

    select
        part_inventory_id,
        changed_at
    from other_content

    {{ rounds_repeat('union') }}

    select
        lines.parent_part_inventory_id as part_inventory_id,
        changed.changed_at
    from changed
    inner join lines
        on
            changed.part_inventory_id = lines.child_part_inventory_id
            and changed.changed_at >= lines.valid_from
            and changed.changed_at < lines.valid_until
    {{ rounds_end() }}
)

select * from changed

-- A unit at one instant against itself at another, at every level by part, quantity and designator: one row per line that
-- differs, with the columns of abom_compare. Which serial is on a line does not count; abom_version_changes tells that.
-- Written from macros/dialect/compare by `python -m tests.contract.analyst_macros`; a test compares the two.
create or replace macro abom_compare_as_of(unit, instant_a, instant_b) as table
with recursive sides as (
    select
        0 as side,
        cast(instant_a as timestamptz) as instant
    union all
    select
        1 as side,
        cast(instant_b as timestamptz) as instant
),
assemblies as (
    select
        side,
        instant,
        cast(unit as bigint) as part_inventory_id
    from sides
    union
    select
        sides.side,
        sides.instant,
        below.part_inventory_id
    from assemblies as sides
    inner join genealogy.abom_line_history as below on sides.part_inventory_id = below.parent_part_inventory_id
    where
        below.is_assembly
        and not below.is_quarantined
        and below.valid_from <= sides.instant
        and coalesce(below.valid_to > sides.instant, true)
),
-- One unit is two here, one at each instant: an even number before and an odd one after, in the same order.
installations as materialized (
    select
        line.parent_part_inventory_id * 2 + sides.side as parent_part_inventory_id,
        line.part_inventory_id * 2 + sides.side as child_part_inventory_id,
        line.part_number as child_part_number,
        line.part_revision as child_part_revision,
        line.serial_number as child_serial_number,
        line.lot_number as child_lot_number,
        line.build_requirement_id,
        line.origin_mbom_item_id,
        line.origin_mbom_id,
        line.required_part_number,
        line.reference_designator,
        line.quantity_per_piece,
        line.is_substitute,
        line.is_quarantined
    from assemblies as sides
    inner join genealogy.abom_line_history as line on sides.part_inventory_id = line.parent_part_inventory_id
    where
        not line.is_open_requirement
        and line.valid_from <= sides.instant
        and coalesce(line.valid_to > sides.instant, true)
),
configured as materialized (
    select
        structure.part_inventory_id * 2 + sides.side as part_inventory_id,
        structure.structure_hash as configuration_hash
    from assemblies as sides
    inner join genealogy.abom_structure_history as structure on sides.part_inventory_id = structure.part_inventory_id
    where structure.valid_from <= sides.instant
        and coalesce(structure.valid_to > sides.instant, true)
),
root as (
    select history.part_number
    from sides
    inner join genealogy.abom_unit_history as history on history.part_inventory_id = cast(unit as bigint)
    where history.valid_from <= sides.instant
        and coalesce(history.valid_to > sides.instant, true)
    order by sides.side
    limit 1
),
lines as materialized (
    select
        installed.parent_part_inventory_id as part_inventory_id,
        coalesce(
            'm' || cast(installed.origin_mbom_item_id as varchar), 'r' || cast(installed.build_requirement_id as varchar)
        ) as planned_line,
        min(installed.origin_mbom_item_id) as origin_mbom_item_id,
        min(installed.origin_mbom_id) as origin_mbom_id,
        min(installed.build_requirement_id) as build_requirement_id,
        min(installed.required_part_number) as required_part_number,
        installed.reference_designator,
        coalesce(installed.child_part_number, '') as part_number,
        min(installed.child_part_revision) || case
            when min(installed.child_part_revision) = max(installed.child_part_revision) then ''
            else ' … ' || max(installed.child_part_revision)
        end as part_revision,
        min(installed.child_serial_number) || case
            when min(installed.child_serial_number) = max(installed.child_serial_number) then ''
            else ' … ' || max(installed.child_serial_number)
        end as serial_number,
        min(installed.child_lot_number) || case
            when min(installed.child_lot_number) = max(installed.child_lot_number) then ''
            else ' … ' || max(installed.child_lot_number)
        end as lot_number,
        case
            when min(installed.child_part_inventory_id) = max(installed.child_part_inventory_id)
                then min(installed.child_part_inventory_id)
        end as child_part_inventory_id,
        case when count(*) = count(installed.quantity_per_piece) then sum(installed.quantity_per_piece) end as quantity,
        bool_or(installed.is_substitute) as is_substitute,
        -- What may differ further down: each configuration that is here; none where all are leaves.
        list({
            'configuration': coalesce(configured.configuration_hash, ''),
            'part_inventory_id': installed.child_part_inventory_id
        }) as units,
        case
            when count(configured.configuration_hash) = 0 then ['']
            else list_sort(list(distinct coalesce(configured.configuration_hash, '')))
        end as configurations
    from installations as installed
    left join configured as configured on installed.child_part_inventory_id = configured.part_inventory_id
    where not installed.is_quarantined
    group by
        installed.parent_part_inventory_id, 2, installed.reference_designator, coalesce(installed.child_part_number, '')
),
-- A row is a line that still looks for its partner, or (is_done) one that has found it or never will. What is done is
-- in the result, and opens the comparison of what it holds one level further down.
compared as (
    select
        '' as pair_key,
        1 as depth,
        (select root.part_number from root) as parent_path,
        1 as round,
        false as is_done,
        case when lines.part_inventory_id = cast(unit as bigint) * 2 then lines end as line_before,
        case when lines.part_inventory_id = (cast(unit as bigint) * 2 + 1) then lines end as line_after
    from lines
    where
        lines.part_inventory_id in (cast(unit as bigint) * 2, (cast(unit as bigint) * 2 + 1))
        -- Units that are configured alike do not differ, here and further down.
        and (select configuration_hash from configured where part_inventory_id = cast(unit as bigint) * 2)
        is distinct from (select configuration_hash from configured where part_inventory_id = (cast(unit as bigint) * 2 + 1))
    union all
    (
        with looking as (
            select * from compared
            where not compared.is_done
        ),
        sided as (
            select
                looking.*,
                looking.line_before is null as is_after,
                coalesce(looking.line_before, looking.line_after) as line
            from looking
        ),
        keyed as (
            select
                sides.*,
                coalesce(
                    case sides.round
                            when 1 then '1' || chr(31) || sides.line.planned_line || chr(31) || coalesce(sides.line.reference_designator, '') || chr(31) || sides.line.part_number
                            when 2 then '2' || chr(31) || sides.line.planned_line || chr(31) || coalesce(sides.line.reference_designator, '')
                            when 3 then '3' || chr(31) || sides.line.planned_line || chr(31) || sides.line.part_number || chr(31) || format('{:.9g}', sides.line.quantity)
                            when 4 then '4' || chr(31) || sides.line.planned_line || chr(31) || sides.line.part_number
                            when 5 then '5' || chr(31) || sides.line.reference_designator || chr(31) || sides.line.part_number
                            when 6 then '6' || chr(31) || sides.line.reference_designator
                            when 7 then '7' || chr(31) || substr(sides.line.planned_line, 1, 1) || sides.line.required_part_number || chr(31) || sides.line.part_number || chr(31) || format('{:.9g}', sides.line.quantity)
                            when 8 then '8' || chr(31) || substr(sides.line.planned_line, 1, 1) || sides.line.required_part_number || chr(31) || sides.line.part_number
                            when 9 then '9' || chr(31) || substr(sides.line.planned_line, 1, 1) || sides.line.required_part_number
                            when 10 then '10' || chr(31) || sides.line.part_number || chr(31) || format('{:.9g}', sides.line.quantity)
                            when 11 then '11' || chr(31) || sides.line.part_number
                        end,
                    cast(sides.is_after as varchar)
                ) as match_key
            from sided as sides
        ),
        numbered as (
            select
                keys.*,
                row_number() over (
                    partition by keys.pair_key, keys.match_key, keys.is_after
                    order by
                        keys.line.quantity desc nulls last,
                        keys.line.reference_designator asc nulls last,
                        keys.line.build_requirement_id asc,
                        keys.line.part_number asc
                ) as place
            from keyed as keys
        ),
        found as (
            select
                pair_key,
                any_value(depth) as depth,
                any_value(parent_path) as parent_path,
                any_value(round) as round,
                any_value(line_before) as line_before,
                any_value(line_after) as line_after
            from numbered
            group by pair_key, match_key, place
        ),
        opened as (
            select
                compared.pair_key || '/' || compared.line_before.planned_line || '@'
                || coalesce(compared.line_before.reference_designator, '') || ':' || compared.line_before.part_number as pair_key,
                compared.depth + 1 as depth,
                compared.parent_path || ' > ' || coalesce(compared.line_after.required_part_number, compared.line_after.part_number) || coalesce(' @' || compared.line_after.reference_designator, '') as parent_path,
                compared.line_before.units as units_before,
                compared.line_after.units as units_after,
                compared.line_before.configurations as configurations_before,
                compared.line_after.configurations as configurations_after
            from compared
            where
                compared.is_done
                and coalesce(
                    compared.line_before.part_number = compared.line_after.part_number and compared.line_before.configurations <> compared.line_after.configurations, false
                )
                and compared.depth < 64
        ),
        members as (
            select
                'before' as side,
                opened.pair_key,
                opened.depth,
                opened.parent_path,
                unnest(opened.units_before) as unit,
                opened.configurations_after as configurations_opposite
            from opened
            union all
            select
                'after' as side,
                opened.pair_key,
                opened.depth,
                opened.parent_path,
                unnest(opened.units_after) as unit,
                opened.configurations_before as configurations_opposite
            from opened
        ),
        -- What is alike on both sides needs no look; of the rest, each is set against one of the other side.
        ranked as (
            select
                members.side,
                members.pair_key,
                any_value(members.depth) as depth,
                any_value(members.parent_path) as parent_path,
                min(members.unit.part_inventory_id) as part_inventory_id,
                bool_or(list_contains(members.configurations_opposite, members.unit.configuration)) as is_on_both_sides,
                row_number() over (
                    partition by members.side, members.pair_key
                    order by
                        bool_or(list_contains(members.configurations_opposite, members.unit.configuration)),
                        min(members.unit.part_inventory_id)
                ) as place
            from members
            group by members.side, members.pair_key, members.unit.configuration
        ),
        placed as (
            select
                ranked.*,
                max(ranked.place) over (partition by ranked.side, ranked.pair_key) as last_place
            from ranked
            where not ranked.is_on_both_sides or ranked.place = 1
        ),
        pairs as (
            select
                one.depth,
                one.parent_path,
                one.pair_key || '/' || one.part_inventory_id || '-' || other.part_inventory_id as pair_key,
                one.part_inventory_id as unit_before,
                other.part_inventory_id as unit_after
            from placed as one
            inner join placed as other
                on
                    one.pair_key = other.pair_key
                    and (
                        one.place = other.place
                        or (one.place = one.last_place and other.place > one.place)
                        or (other.place = other.last_place and one.place > other.place)
                    )
            where one.side = 'before' and other.side = 'after'
        )
        select
            found.pair_key,
            found.depth,
            found.parent_path,
            found.round + 1 as round,
            (found.line_before is not null and found.line_after is not null) or found.round = 11 as is_done,
            found.line_before,
            found.line_after
        from found
        union all
        select
            pairs.pair_key,
            pairs.depth,
            pairs.parent_path,
            1 as round,
            false as is_done,
            case when lines.part_inventory_id = pairs.unit_before then lines end as line_before,
            case when lines.part_inventory_id = pairs.unit_after then lines end as line_after
        from pairs
        inner join lines on lines.part_inventory_id in (pairs.unit_before, pairs.unit_after)
    )
),
changes as (
    select
        case
            when compared.line_before.part_number is null then 'installed'
            when compared.line_after.part_number is null then 'missing'
            when compared.line_before.part_number <> compared.line_after.part_number
                then case
                    when compared.line_before.is_substitute or compared.line_after.is_substitute then 'substitute'
                    else 'replaced'
                end
            when coalesce(compared.line_before.part_revision, '') <> coalesce(compared.line_after.part_revision, '') then 'other_revision'
            -- Planned lines of two versions of a plan have nothing in common but what they plan.
            when
                compared.line_before.planned_line <> compared.line_after.planned_line
                and coalesce(compared.line_before.reference_designator <> compared.line_after.reference_designator, true)
                and (
                    coalesce(compared.line_before.required_part_number, '') <> coalesce(compared.line_after.required_part_number, '')
                    or compared.line_before.origin_mbom_id = compared.line_after.origin_mbom_id
                    or (compared.line_before.origin_mbom_id is null) <> (compared.line_after.origin_mbom_id is null)
                )
                then 'moved'
            when coalesce(compared.line_before.reference_designator, '') <> coalesce(compared.line_after.reference_designator, '')
                then 'designator_changed'
            when
                (compared.line_before.quantity is null) <> (compared.line_after.quantity is null)
                or abs(compared.line_before.quantity - compared.line_after.quantity) > 1e-9 * abs(compared.line_before.quantity)
                then 'quantity_changed'
        end as change,
        coalesce(
            coalesce(compared.line_after.required_part_number, compared.line_after.part_number) || coalesce(' @' || compared.line_after.reference_designator, ''),
            coalesce(compared.line_before.required_part_number, compared.line_before.part_number) || coalesce(' @' || compared.line_before.reference_designator, '')
        ) as line,
        compared.line_before.part_number as part_number_before,
        compared.line_after.part_number as part_number_after,
        compared.line_before.part_revision as part_revision_before,
        compared.line_after.part_revision as part_revision_after,
        compared.line_before.serial_number as serial_number_before,
        compared.line_after.serial_number as serial_number_after,
        compared.line_before.lot_number as lot_number_before,
        compared.line_after.lot_number as lot_number_after,
        compared.line_before.child_part_inventory_id as part_inventory_id_before,
        compared.line_after.child_part_inventory_id as part_inventory_id_after,
        coalesce(compared.line_before.quantity, case when compared.line_before.part_number is null then 0 end) as quantity_before,
        coalesce(compared.line_after.quantity, case when compared.line_after.part_number is null then 0 end) as quantity_after,
        compared.line_before.reference_designator as reference_designator_before,
        compared.line_after.reference_designator as reference_designator_after,
        compared.line_before.build_requirement_id as build_requirement_id_before,
        compared.line_after.build_requirement_id as build_requirement_id_after,
        compared.line_before.origin_mbom_item_id as origin_mbom_item_id_before,
        compared.line_after.origin_mbom_item_id as origin_mbom_item_id_after,
        compared.depth,
        compared.parent_path || ' > ' || line as path_text
    from compared
    where compared.is_done
)
select * replace (
    part_inventory_id_before // 2 as part_inventory_id_before,
    part_inventory_id_after // 2 as part_inventory_id_after
)
from changes
where change is not null
order by path_text, change, part_number_before, part_number_after

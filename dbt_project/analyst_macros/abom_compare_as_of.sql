-- Compares a unit at one instant with itself at another, at every level, by part, quantity and designator: one row per
-- line that differs, with the columns of abom_compare. Serial numbers do not count; abom_version_changes has them.
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
-- Every assembly that was ever in the unit; the comparison uses those that were there at the two instants.
reached as (
    select cast(unit as bigint) as part_inventory_id
    union
    select below.part_inventory_id
    from genealogy.abom_line_history as below
    where
        -- An `in` is looked up in each round of the recursion; a join would first read all assemblies of the plant.
        below.parent_part_inventory_id in (select reached.part_inventory_id from reached)
        and below.is_assembly
        and not below.is_quarantined
),
assemblies as (
    -- A list hides the row count from the optimizer, which would otherwise plan for all units of the plant.
    select unnest(held.ids) as part_inventory_id
    from (select list(part_inventory_id) as ids from reached) as held
),
-- Each unit has two ids here, one per instant: an even id before and an odd id after, in the same order.
installations as (
    select
        line.parent_part_inventory_id * 2 + sides.side as parent_part_inventory_id,
        line.part_inventory_id * 2 + sides.side as child_part_inventory_id,
        line.part_id as child_part_id,
        line.part_number as child_part_number,
        line.part_revision as child_part_revision,
        line.serial_number as child_serial_number,
        line.lot_number as child_lot_number,
        line.build_requirement_id,
        line.origin_mbom_item_id,
        line.origin_mbom_id,
        line.required_part_number,
        line.reference_designator,
        line.designator_key,
        line.quantity_per_piece,
        line.is_substitute,
        line.is_quarantined
    from genealogy.abom_line_history as line
    cross join sides
    where
        line.parent_part_inventory_id in (select assemblies.part_inventory_id from assemblies)
        and not line.is_open_requirement
        and line.valid_from <= sides.instant
        and coalesce(line.valid_to > sides.instant, true)
),
configured as (
    select
        structure.part_inventory_id * 2 + sides.side as part_inventory_id,
        -- A tree that is cut off has no hash and equals no other tree.
        coalesce(
            structure.structure_hash, 'cut off: ' || (structure.part_inventory_id * 2 + sides.side)
        ) as configuration_hash
    from genealogy.abom_structure_history as structure
    cross join sides
    where
        structure.part_inventory_id in (select assemblies.part_inventory_id from assemblies)
        and structure.valid_from <= sides.instant
        and coalesce(structure.valid_to > sides.instant, true)
),
root as (
    select coalesce(history.part_number, 'part ' || cast(history.part_id as string), 'unit') as part_number
    from sides
    inner join genealogy.abom_unit_history as history on history.part_inventory_id = cast(unit as bigint)
    where history.valid_from <= sides.instant
        and coalesce(history.valid_to > sides.instant, true)
    order by sides.side
    limit 1
),
summed as (
    select
        installed.parent_part_inventory_id as part_inventory_id,
        coalesce(
            'm' || cast(installed.origin_mbom_item_id as string), 'r' || cast(installed.build_requirement_id as string)
        ) as planned_line,
        min(installed.origin_mbom_item_id) as origin_mbom_item_id,
        min(installed.origin_mbom_id) as origin_mbom_id,
        min(installed.build_requirement_id) as build_requirement_id,
        min(installed.required_part_number) as required_part_number,
        installed.designator_key,
        -- The designator as written in ION; of several spellings, the first.
        case when installed.designator_key is not null then min(installed.reference_designator) end as reference_designator,
        coalesce(installed.child_part_number, 'part ' || cast(installed.child_part_id as string), 'unit') as part_number,
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
        -- The configurations on the line, which may differ further down; an empty text for leaves.
        list_sort(list({
            'part_inventory_id': installed.child_part_inventory_id,
            'configuration': coalesce(configured.configuration_hash, '')
        })) as units,
        case
            when count(configured.configuration_hash) = 0 then ['']
            else list_sort(list_distinct(list(coalesce(configured.configuration_hash, ''))))
        end as configurations
    from installations as installed
    left join configured as configured on installed.child_part_inventory_id = configured.part_inventory_id
    where not installed.is_quarantined
    group by
        installed.parent_part_inventory_id,
        2,
        installed.designator_key,
        coalesce(installed.child_part_number, 'part ' || cast(installed.child_part_id as string), 'unit')
),
-- `distinct` removes no row. It replaces `as materialized`, which a stored macro loses: without it, DuckDB 1.1 would
-- compute the lines again for each use.
lines as (
    select distinct
        summed.*,
        coalesce(summed.required_part_number, summed.part_number) || coalesce(' @' || summed.reference_designator, '') as label,
        row_number() over (
            order by
                summed.quantity desc nulls last,
                    summed.designator_key asc nulls last,
                    summed.build_requirement_id asc,
                    summed.part_number asc
        ) as line_number
    from summed
),
-- A row is a line without a partner yet, or (is_done) a line whose search for a partner is finished. Finished lines are
-- in the result, and their content is compared one level further down.
compared as (
    select
        '' as pair_key,
        1 as depth,
        (select root.part_number from root) as parent_path,
        false as is_done,
        case when lines.part_inventory_id = cast(unit as bigint) * 2 then lines.line_number end as line_before,
        case when lines.part_inventory_id = (cast(unit as bigint) * 2 + 1) then lines.line_number end as line_after
    from lines
    where
        lines.part_inventory_id in (cast(unit as bigint) * 2, (cast(unit as bigint) * 2 + 1))
        -- Units with equal configurations do not differ at any level.
        and (select configured.configuration_hash from configured where configured.part_inventory_id = cast(unit as bigint) * 2)
        is distinct from (
            select configured.configuration_hash from configured where configured.part_inventory_id = (cast(unit as bigint) * 2 + 1)
        )
    union all
    (
        with keyed as (
            select
                looking.*,
                rounds.round,
                case rounds.round
                        when 1 then '1' || chr(31) || lines.planned_line || chr(31) || coalesce(lines.designator_key, '') || chr(31) || lines.part_number
                        when 2 then '2' || chr(31) || lines.planned_line || chr(31) || coalesce(lines.designator_key, '')
                        when 3 then '3' || chr(31) || lines.planned_line || chr(31) || lines.part_number || chr(31) || format('{:.9g}', lines.quantity)
                        when 4 then '4' || chr(31) || lines.planned_line || chr(31) || lines.part_number
                        when 5 then '5' || chr(31) || lines.designator_key || chr(31) || lines.part_number
                        when 6 then '6' || chr(31) || lines.designator_key
                        when 7 then '7' || chr(31) || substr(lines.planned_line, 1, 1) || lines.required_part_number || chr(31) || lines.part_number || chr(31) || format('{:.9g}', lines.quantity)
                        when 8 then '8' || chr(31) || substr(lines.planned_line, 1, 1) || lines.required_part_number || chr(31) || lines.part_number
                        when 9 then '9' || chr(31) || substr(lines.planned_line, 1, 1) || lines.required_part_number
                        when 10 then '10' || chr(31) || lines.part_number || chr(31) || format('{:.9g}', lines.quantity)
                        when 11 then '11' || chr(31) || lines.part_number
                    end as match_key
            from compared as looking
            inner join lines on coalesce(looking.line_before, looking.line_after) = lines.line_number
            cross join range(1, 12) as rounds (round)
            where not looking.is_done
        ),
        -- Groups of lines that agree in the key of a round, for all rounds at once. Lines without a key are grouped by
        -- side.
        agreeing as (
            select
                pair_key,
                round,
                any_value(depth) as depth,
                any_value(parent_path) as parent_path,
                coalesce(list_sort(list(line_before) filter (line_before is not null)), []) as lines_before,
                coalesce(list_sort(list(line_after) filter (line_after is not null)), []) as lines_after
            from keyed
            group by pair_key, round, match_key, match_key is null and line_before is null
        ),
        -- The first round in which lines of a pair match; earlier rounds would change nothing.
        turns as (
            select
                pair_key,
                any_value(depth) as depth,
                any_value(parent_path) as parent_path,
                min(round) filter (len(lines_before) > 0 and len(lines_after) > 0) as first_round,
                list({'round': round, 'lines_before': lines_before, 'lines_after': lines_after}) as groups
            from agreeing
            group by pair_key
        ),
        groups as (
            select
                pair_key,
                depth,
                parent_path,
                first_round,
                unnest([held for held in groups if held.round = coalesce(first_round, 1)]) as held
            from turns
        ),
        found as (
            select
                *,
                unnest(range(1, 1 + greatest(len(held.lines_before), len(held.lines_after)))) as place
            from groups
        ),
        -- Configurations that exist on both sides are skipped, unless there are no others; of equal ones, the first is
        -- used.
        opened as (
            select
                compared.pair_key || '/' || compared.line_before as pair_key,
                compared.depth + 1 as depth,
                compared.parent_path || ' > ' || after.label as parent_path,
                [
                    unit.part_inventory_id for unit, place in before.units
                    if not list_contains(after.configurations, unit.configuration)
                    and list_position([twin.configuration for twin in before.units], unit.configuration) = place
                ]
                || case
                    when list_has_all(after.configurations, before.configurations)
                        then [before.units[1].part_inventory_id]
                    else []
                end as units_before,
                [
                    unit.part_inventory_id for unit, place in after.units
                    if not list_contains(before.configurations, unit.configuration)
                    and list_position([twin.configuration for twin in after.units], unit.configuration) = place
                ]
                || case
                    when list_has_all(before.configurations, after.configurations)
                        then [after.units[1].part_inventory_id]
                    else []
                end as units_after
            from compared
            inner join lines as before on compared.line_before = before.line_number
            inner join lines as after on compared.line_after = after.line_number
            where
                compared.is_done
                and coalesce(
                        before.part_number = after.part_number and before.configurations <> after.configurations, false
                    )
                and compared.depth < 256
        ),
        -- Each unit is paired with one of the other side; the last unit is paired with all remaining ones.
        places as (
            select
                *,
                unnest(range(1, 1 + greatest(len(units_before), len(units_after)))) as place
            from opened
        ),
        pairs as (
            select
                pair_key || '-' || place as pair_key,
                depth,
                parent_path,
                units_before[least(place, len(units_before))] as unit_before,
                units_after[least(place, len(units_after))] as unit_after
            from places
        )
        select
            pair_key,
            depth,
            parent_path,
            first_round is null or place <= least(len(held.lines_before), len(held.lines_after)) as is_done,
            held.lines_before[place] as line_before,
            held.lines_after[place] as line_after
        from found
        union all
        select
            pairs.pair_key,
            pairs.depth,
            pairs.parent_path,
            false as is_done,
            case when lines.part_inventory_id = pairs.unit_before then lines.line_number end as line_before,
            case when lines.part_inventory_id = pairs.unit_after then lines.line_number end as line_after
        from pairs
        inner join lines on lines.part_inventory_id in (pairs.unit_before, pairs.unit_after)
    )
),
-- Each finished line, and once more for what is not compared below it: beyond the last level, a difference is not found.
changes as (
    select
        case
            when not ends.is_end
                then case
                            when before.part_number is null then 'installed'
                            when after.part_number is null then 'missing'
                            when before.part_number <> after.part_number
                                then case
                                    when before.is_substitute or after.is_substitute then 'substitute'
                                    else 'replaced'
                                end
                            when coalesce(before.part_revision, '') <> coalesce(after.part_revision, '') then 'other_revision'
                            -- Planned lines of two versions of a plan have different ids: only their part identifies them.
                            when
                                before.planned_line <> after.planned_line
                                and coalesce(before.designator_key <> after.designator_key, true)
                                and (
                                    coalesce(before.required_part_number, '') <> coalesce(after.required_part_number, '')
                                    or before.origin_mbom_id = after.origin_mbom_id
                                    or (before.origin_mbom_id is null) <> (after.origin_mbom_id is null)
                                )
                                then 'moved'
                            when coalesce(before.designator_key, '') <> coalesce(after.designator_key, '')
                                then 'designator_changed'
                            when
                                (before.quantity is null) <> (after.quantity is null)
                                or abs(before.quantity - after.quantity) > 1e-9 * abs(before.quantity)
                                then 'quantity_changed'
                        end
            when compared.depth >= 256
                and coalesce(
                            before.part_number = after.part_number and before.configurations <> after.configurations, false
                        )
                then 'not_compared'
        end as change,
        coalesce(after.label, before.label) as line,
        before.part_number as part_number_before,
        after.part_number as part_number_after,
        before.part_revision as part_revision_before,
        after.part_revision as part_revision_after,
        before.serial_number as serial_number_before,
        after.serial_number as serial_number_after,
        before.lot_number as lot_number_before,
        after.lot_number as lot_number_after,
        before.child_part_inventory_id as part_inventory_id_before,
        after.child_part_inventory_id as part_inventory_id_after,
        coalesce(before.quantity, case when before.part_number is null then 0 end) as quantity_before,
        coalesce(after.quantity, case when after.part_number is null then 0 end) as quantity_after,
        before.reference_designator as reference_designator_before,
        after.reference_designator as reference_designator_after,
        before.build_requirement_id as build_requirement_id_before,
        after.build_requirement_id as build_requirement_id_after,
        before.origin_mbom_item_id as origin_mbom_item_id_before,
        after.origin_mbom_item_id as origin_mbom_item_id_after,
        compared.depth,
        compared.parent_path || ' > ' || line as path_text
    from compared
    left join lines as before on compared.line_before = before.line_number
    left join lines as after on compared.line_after = after.line_number
    cross join (select unnest([false, true]) as is_end) as ends
    where compared.is_done
)
select * replace (
    part_inventory_id_before // 2 as part_inventory_id_before,
    part_inventory_id_after // 2 as part_inventory_id_after
)
from changes
where change is not null
order by path_text, change, part_number_before, part_number_after, build_requirement_id_before, build_requirement_id_after

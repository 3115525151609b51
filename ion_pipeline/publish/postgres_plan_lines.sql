-- The plans in the two trees, their lines, and the pairs of lines that share a place; mBOM $1 is side 1, $2 side 2.
with recursive tops as (
    select sides.side, last.mbom_id, last.state_number, last.stood_until
    from (values (1, $1), (2, $2)) as sides (side, mbom_id)
    cross join lateral (
        select versions.mbom_id, versions.state_number, versions.stood_until
        from genealogy.mbom_versions as versions
        where versions.mbom_id = sides.mbom_id
        order by versions.state_number desc
        limit 1
    ) as last
),
in_force as (
    select
        tops.side, versions.part_id, versions.mbom_id, versions.state_number,
        tops.side || ':' || versions.mbom_id || '.' || versions.state_number || ';' as plan_key
    from tops
    inner join genealogy.mbom_versions as versions
        on
            (tops.stood_until is null and versions.in_force_to is null)
            or (
                versions.in_force_from < tops.stood_until
                and (versions.in_force_to is null or tops.stood_until <= versions.in_force_to)
            )
    where versions.in_force_from is not null
),
plans as (
    select side, mbom_id, state_number, true as is_top from tops
    union
    select plans.side, standing.mbom_id, standing.state_number, false
    from plans
    inner join genealogy.mbom_lines as lines
        on plans.mbom_id = lines.mbom_id and plans.state_number = lines.state_number
    inner join in_force as standing on plans.side = standing.side and lines.part_id = standing.part_id
),
known as (
    select
        plans.side, plans.mbom_id, plans.state_number,
        plans.side || ':' || plans.mbom_id || '.' || plans.state_number || ';' as plan_key,
        bool_or(plans.is_top) as is_top,
        min(versions.part_id) as part_id,
        min(versions.part_number) as part_number,
        min(versions.part_revision) as part_revision,
        min(versions.revision_family_id) as revision_family_id
    from plans
    inner join genealogy.mbom_versions as versions
        on plans.mbom_id = versions.mbom_id and plans.state_number = versions.state_number
    group by plans.side, plans.mbom_id, plans.state_number
),
plan_lines as (
    select
        known.side, known.plan_key, false as is_top, lines.mbom_item_id,
        '/' || length(lines.line_number::text) || lines.line_number as sort_key,
        lines.part_id, lines.part_number, lines.part_revision, lines.revision_family_id, lines.quantity,
        lines.is_made_on_assembly, lines.designator_places, lines.substitute_part_ids, lines.substitute_part_numbers,
        standing.plan_key as part_plan_key
    from known
    inner join genealogy.mbom_lines as lines
        on known.mbom_id = lines.mbom_id and known.state_number = lines.state_number
    left join in_force as standing on known.side = standing.side and lines.part_id = standing.part_id
    union all
    select
        side, '', true, 0, '', part_id, part_number, part_revision, revision_family_id, 1, false,
        '{}'::text[], '{}'::bigint[], '{}'::text[], plan_key
    from known
    where is_top
),
pairs as (
    select sides.side, sides.plan_key, one.plan_key || other.plan_key as pair
    from known as one
    inner join known as other
        on
            (one.is_top and other.is_top)
            or (not one.is_top and not other.is_top and one.revision_family_id = other.revision_family_id)
    cross join lateral (values (1, one.plan_key), (2, other.plan_key)) as sides (side, plan_key)
    where one.side = 1 and other.side = 2
),
lines as (
    select
        pairs.pair, plan_lines.side, plan_lines.mbom_item_id as item_id, plan_lines.part_id,
        plan_lines.revision_family_id, plan_lines.quantity, plan_lines.designator_places
    from pairs
    inner join plan_lines on pairs.side = plan_lines.side and pairs.plan_key = plan_lines.plan_key
),
places as (
    select lines.*, place.name
    from lines
    cross join lateral (
        select 'd' || designator as name from unnest(lines.designator_places) as designator
        union all
        select 'i' || lines.item_id
    ) as place
),
shared as (
    select
        one.pair, one.item_id as item_a, other.item_id as item_b,
        one.item_id <> other.item_id as is_other_line,
        bool_or(one.part_id <> other.part_id) as is_other_part,
        coalesce(bool_or(one.revision_family_id <> other.revision_family_id), true) as is_other_family,
        -count(*) as places
    from places as one
    inner join places as other on one.pair = other.pair and one.name = other.name
    where one.side = 1 and other.side = 2
    group by one.pair, one.item_id, other.item_id
),
nearest as (
    (
        select distinct on (pair, item_a) pair, item_a, item_b
        from shared
        order by pair, item_a, is_other_line, is_other_part, is_other_family, places, item_b
    )
    intersect
    (
        select distinct on (pair, item_b) pair, item_a, item_b
        from shared
        order by pair, item_b, is_other_line, is_other_part, is_other_family, places, item_a
    )
),
left_0 as (
    select lines.pair, lines.side, lines.item_id, lines.part_id, lines.revision_family_id, lines.quantity
    from lines
    where not exists (
        select
        from nearest
        where
            nearest.pair = lines.pair
            and lines.item_id = case lines.side when 1 then nearest.item_a else nearest.item_b end
    )
)

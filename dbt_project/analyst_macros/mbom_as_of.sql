-- Plans as of an instant, from the states of their versions; the other plan macros use these macros.

-- For each of several plans (states of an mBOM version, as returned by mbom_last and mbom_in_force), the version of
-- every part that was in force just before the instant of the plan (null: now). `side` is the position in the list.
create or replace macro mbom_standing(plans) as table
select
    a.side,
    v.part_id,
    v.mbom_id,
    v.state_number
from (
    select
        generate_subscripts(given.plans, 1) as side,
        unnest(given.plans) as plan
    from (select plans as plans) as given
) as a
inner join genealogy.mbom_versions as v
    on
        (a.plan.until_instant is null and v.in_force_to is null)
        or (v.in_force_from < a.plan.until_instant and (v.in_force_to is null or a.plan.until_instant <= v.in_force_to))
where v.in_force_from is not null;

-- The tree of a plan, with the plans in force below it. A part that would contain itself is shown but not expanded a
-- second time.
create or replace macro mbom_tree(plan) as table
with recursive in_force as (
    select * from mbom_standing([plan])
),

tree as (
    select
        0 as depth,
        '' as path_key,
        '' as sort_key,
        cast(null as bigint) as mbom_item_id,
        t.part_id,
        t.part_number,
        t.part_revision,
        t.part_description,
        t.revision_family_id,
        cast(1 as double) as quantity,
        cast(1 as double) as quantity_extended,
        false as is_made_on_assembly,
        cast([] as varchar[]) as reference_designators,
        cast([] as bigint[]) as substitute_part_ids,
        cast([] as varchar[]) as substitute_part_numbers,
        t.mbom_id as part_mbom_id,
        t.state_number as part_state_number,
        [t.part_id] as path_ids,
        coalesce(t.part_number || ' ' || t.part_revision, t.part_number, 'part ' || t.part_id) as path_text
    from (select plan as plan) as asked
    inner join genealogy.mbom_versions as t on asked.plan.mbom_id = t.mbom_id and asked.plan.state_number = t.state_number

    union all

    select
        t.depth + 1,
        t.path_key || '/m' || l.mbom_item_id,
        t.sort_key || '/' || length(cast(l.line_number as varchar)) || l.line_number,
        l.mbom_item_id,
        l.part_id,
        l.part_number,
        l.part_revision,
        l.part_description,
        l.revision_family_id,
        l.quantity,
        t.quantity_extended * l.quantity,
        l.is_made_on_assembly,
        l.reference_designators,
        l.substitute_part_ids,
        l.substitute_part_numbers,
        case when not list_contains(t.path_ids, l.part_id) then s.mbom_id end,
        case when not list_contains(t.path_ids, l.part_id) then s.state_number end,
        list_append(t.path_ids, l.part_id),
        t.path_text || ' > ' || coalesce(l.part_number || ' ' || l.part_revision, l.part_number, 'part ' || l.part_id)
    from tree as t
    inner join genealogy.mbom_lines as l on t.part_mbom_id = l.mbom_id and t.part_state_number = l.state_number
    left join in_force as s on l.part_id = s.part_id
    where t.depth < 256
)

select *
from tree
order by sort_key;

-- The last state of an mBOM version, and the end of that state: null while it is current.
create or replace macro mbom_last(mbom) as (
    select arg_max({'mbom_id': v.mbom_id, 'state_number': v.state_number, 'until_instant': v.stood_until}, v.state_number)
    from genealogy.mbom_versions as v
    where v.mbom_id = mbom
);

-- The version that was in force for a part revision at an instant, and its state.
create or replace macro mbom_in_force(in_number, in_revision, at_instant) as (
    select any_value({
        'mbom_id': v.mbom_id,
        'state_number': v.state_number,
        'until_instant': cast(at_instant as timestamptz) + interval 1 microsecond
    })
    from genealogy.mbom_versions as v
    where
        v.part_number = in_number
        and v.part_revision = in_revision
        and v.in_force_from <= cast(at_instant as timestamptz)
        and (v.in_force_to is null or cast(at_instant as timestamptz) < v.in_force_to)
);

-- The plan of a part revision that was in force at an instant, with the plans below it in force then.
create or replace macro mbom_as_of(part_number, revision, instant) as table
select *
from mbom_tree(mbom_in_force(part_number, revision, instant))
order by sort_key;

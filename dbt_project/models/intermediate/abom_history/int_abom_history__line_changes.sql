{{ config(materialized='table') }}

with ends as (
    select * from {{ ref('int_abom_history__line_ends') }}
),

matches as (
    select * from {{ ref('int_abom_history__line_matches') }}
),

-- An unmatched line has only one side. Filling an open requirement is reported as an installation, and emptying a
-- requirement as an uninstallation.
pairs as (
    select
        ended_id,
        began_id,
        match
    from matches
    union all
    select
        case when ends.side = 'ended' then ends.line_end_id end as ended_id,
        case when ends.side = 'began' then ends.line_end_id end as began_id,
        'none' as match
    from ends
    left join matches on ends.line_end_id in (matches.ended_id, matches.began_id)
    left join ends as opposite
        on
            ends.part_inventory_id = opposite.part_inventory_id
            and ends.changed_at = opposite.changed_at
            and ends.build_requirement_id = opposite.build_requirement_id
            and ends.abom_generation = opposite.abom_generation
            and ends.side <> opposite.side
            and opposite.is_filled
            and not ends.is_filled
    where
        matches.match is null
        and opposite.line_end_id is null
)

select
    coalesce(began.part_inventory_id, ended.part_inventory_id) as part_inventory_id,
    coalesce(began.changed_at, ended.changed_at) as changed_at,
    case
        when pairs.match in ('replaced', 'moved') then pairs.match
        when
            pairs.match = 'kept'
            and (ended.quantity is not distinct from began.quantity)
            and (ended.quantity_required is not distinct from began.quantity_required)
            then 'unchanged'
        when pairs.match = 'kept' then 'quantity_changed'
        when began.is_filled then 'installed'
        when ended.is_filled then 'uninstalled'
        when began.line_end_id is not null then 'requirement_added'
        else 'requirement_removed'
    end as change,
    coalesce(began.abom_generation, ended.abom_generation) as abom_generation,
    -- After a line leaves a requirement, the requirement may be open, still be filled by other lines, or be deleted
    -- too.
    case
        when pairs.match = 'moved' or (ended.is_filled and began.line_end_id is null)
            then case ended.requirement_across when 'none' then 'gone' else ended.requirement_across end
    end as requirement_after,
    {% for side, suffix in [('ended', 'before'), ('began', 'after')] %}
        {% for column in [
            'line_key', 'build_requirement_id', 'abom_installation_id', 'child_part_inventory_id', 'part_id',
            'serial_number', 'lot_number', 'reference_designator', 'quantity', 'quantity_required'
        ] %}
            {{ side }}.{{ column }} as {{ column }}_{{ suffix }},
        {% endfor %}
    {% endfor %}
    -- ION's time on the row belongs to this change only if the row was rewritten.
    case
        when (began.updated_at is distinct from ended.updated_at)
            then coalesce(greatest(began.created_at, began.updated_at), began.created_at)
    end as ion_changed_at
from pairs
left join ends as ended on pairs.ended_id = ended.line_end_id
left join ends as began on pairs.began_id = began.line_end_id

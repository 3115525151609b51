with issues as (
    select * from {{ ref('issues') }}
),

steps as (
    select * from {{ ref('run_steps') }}
),

pieces as (
    select * from {{ ref('int_inventories__pieces') }}
),

lines as (
    select * from {{ ref('purchase_order_lines') }}
),

relations as (
    select * from {{ ref('stg_ion__issue_relations') }}
),

units as (
    select * from {{ ref('int_issues__units') }}
),

redlines as (
    select * from {{ ref('stg_ion__redlines') }}
),

actions as (
    select * from {{ ref('stg_ion__further_actions') }}
),

linked as (
    select
        origin_issue_id as issue_id,
        'related_issue' as link_type,
        'issue' as linked_type,
        related_issue_id as linked_id,
        created_at as linked_at,
        is_export_controlled
    from relations
    union all
    {% for column, link_type, linked_type in [
        ('run_step_id', 'found_on', 'run_step'),
        ('must_close_by_run_step_id', 'must_close_by', 'run_step'),
        ('purchase_order_line_id', 'found_on', 'purchase_order_line'),
        ('fix_part_inventory_id', 'fixed_by', 'part_inventory'),
    ] %}
        select
            issue_id,
            '{{ link_type }}' as link_type,
            '{{ linked_type }}' as linked_type,
            {{ column }} as linked_id,
            null as linked_at,
            is_export_controlled
        from issues
        where {{ column }} is not null
        union all
    {% endfor %}
    select
        units.issue_id,
        'affects' as link_type,
        'part_inventory' as linked_type,
        units.part_inventory_id as linked_id,
        named.created_at as linked_at,
        units.is_export_controlled
    from units
    left join {{ ref('stg_ion__issue_part_inventories') }} as named
        on units.issue_id = named.issue_id and units.part_inventory_id = named.part_inventory_id
    union all
    select
        issue_id,
        'redlined_by' as link_type,
        'redline' as linked_type,
        redline_id as linked_id,
        created_at as linked_at,
        is_export_controlled
    from redlines
    where issue_id is not null
    union all
    select
        issue_id,
        'answered_by' as link_type,
        'further_action' as linked_type,
        further_action_id as linked_id,
        null as linked_at,
        is_export_controlled
    from {{ ref('stg_ion__further_action_issues') }}
)

select
    linked.issue_id,
    linked.link_type,
    linked.linked_type,
    linked.linked_id,
    issues.issue_title,
    issues.status as issue_status,
    coalesce(issues.is_open, false) as is_issue_open,
    nullif(case linked.linked_type
        when 'issue' then related.issue_title
        when 'further_action' then actions.further_action_title
        when 'part_inventory'
            then {{ join_texts(' ', [shown_part('pieces.part_number', 'pieces.part_id'),
                'coalesce(pieces.serial_number, pieces.lot_number)']) }}
        when 'purchase_order_line'
            then {{ join_texts(', ', ["'order ' || cast(lines.purchase_order_id as string)", 'lines.supplier_name',
                'lines.part_number']) }}
        else {{ join_texts(': ', ['steps.run_title', 'steps.run_step_title']) }}
    end, '') as linked,
    steps.run_id,
    pieces.part_number,
    linked.linked_at,
    coalesce(linked.is_export_controlled, false) as is_export_controlled
from linked
left join issues on linked.issue_id = issues.issue_id
left join issues as related on linked.linked_type = 'issue' and linked.linked_id = related.issue_id
left join pieces on linked.linked_type = 'part_inventory' and linked.linked_id = pieces.part_inventory_id
left join lines on linked.linked_type = 'purchase_order_line' and linked.linked_id = lines.purchase_order_line_id
left join actions on linked.linked_type = 'further_action' and linked.linked_id = actions.further_action_id
left join redlines on linked.linked_type = 'redline' and linked.linked_id = redlines.redline_id
left join steps
    on case linked.linked_type when 'run_step' then linked.linked_id else redlines.run_step_id end = steps.run_step_id
order by linked.issue_id, linked.link_type, linked.linked_type, linked.linked_id

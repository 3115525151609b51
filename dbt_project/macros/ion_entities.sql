{#- The raw tables of entities (not of nested lists), as sources, in the order of their names. -#}
{% macro ion_entities() %}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() if node.source_name == 'ion' and node.meta.entity == node.name -%}
            {%- do found.append(node.name) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found | sort) }}
{% endmacro %}

{#- Entities with a staging view. dbt must know a model's inputs before it runs, so they are listed by name. -#}
{% macro staged_entities() %}
    {{ return([
        'abom_edges', 'abom_installations', 'abom_items', 'build_requirements', 'currencies',
        'datagrid_columns', 'datagrid_rows', 'datagrid_values', 'issue_approval_requests', 'issue_approvals',
        'issue_disposition_types', 'issue_part_inventories', 'issue_relations', 'issues', 'labels', 'locations',
        'mbom_approval_requests', 'mbom_approvals', 'mbom_item_reference_designators', 'mbom_items',
        'mbom_substitutes', 'mboms', 'part_inventories', 'part_kit_items', 'part_kits', 'part_procedures',
        'part_subtypes', 'parts', 'plan_inputs', 'plan_item_allocations', 'plan_items', 'plan_reservations',
        'plans', 'procedures', 'purchase_order_approval_requests', 'purchase_order_approvals',
        'purchase_order_fees', 'purchase_order_lines', 'purchase_orders', 'receipt_items', 'receipts',
        'redline_approval_requests', 'redline_approvals', 'redlines', 'review_requests', 'reviews', 'roles',
        'run_batches', 'run_step_field_validations', 'run_step_fields', 'run_steps', 'runs',
        'step_approval_requests', 'step_approvals', 'step_field_validations', 'step_fields', 'step_mbom_item_associations', 'steps',
        'suppliers', 'teams', 'units_of_measurement', 'users', 'validation_functions',
    ]) }}
{% endmacro %}

{#-
    The entities whose rows have a change time; links and sessions have none. Only the warehouse knows, because a tenant
    may have more columns than ION's schema; where nothing may be asked (`--no-introspect`), all entities count.
-#}
{% macro dated_entities() %}
    {%- if not execute -%}
        {{ return([]) }}
    {%- elif not flags.INTROSPECT -%}
        {{ return(ion_entities()) }}
    {%- endif -%}
    {{ return(adapter.dispatch('dated_entities')()) }}
{% endmacro %}

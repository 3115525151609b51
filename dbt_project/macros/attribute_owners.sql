{#- The fifteen types of record that can have custom fields (vendor schema: *Attribute). -#}
{% macro attribute_owners() %}
    {{ return([
        'issue', 'location', 'mbom', 'part', 'part_inventory', 'part_kit', 'part_kit_item', 'procedure',
        'purchase_order', 'purchase_order_line', 'receipt', 'run', 'run_step', 'step', 'supplier',
    ]) }}
{% endmacro %}

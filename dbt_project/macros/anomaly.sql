{#-
    The columns of a finding, as aggregates over the rows that prove it (columns of `int_anomalies__installations`; the
    columns named in `evidence` become part of the proof). `key` identifies a finding within its kind.
-#}
{% macro anomaly_columns(anomaly, severity, key, finding, evidence=[]) %}
    '{{ anomaly }}:' || cast({{ key }} as string) as anomaly_key,
    '{{ anomaly }}' as anomaly,
    '{{ severity }}' as severity,
    {{ finding }} as finding,
    {{ ids_of('part_inventory_id') }} as part_inventory_ids,
    {{ ids_of('build_requirement_id') }} as build_requirement_ids,
    {{ ids_of('abom_installation_id') }} as abom_installation_ids,
    {{ json_rows([
        'parent_part_inventory_id', 'parent', 'part_inventory_id', 'child', 'build_requirement_id',
        'abom_installation_id', 'reference_designator', 'quantity', 'installed_at',
    ] + evidence, 'abom_installation_id, parent_part_inventory_id') }} as evidence,
    coalesce(bool_or(is_export_controlled), false) as is_export_controlled
{%- endmacro %}

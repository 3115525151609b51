{#-
    What a structure hash is made of. Texts are put together so that no two configurations give the same: numbers and
    digests hold no bar, and the only free text, the designator, stands last with its absence marked.
-#}

{#- A line: what is on it (`part:…`, `open:…` or the hash of an assembly), how much, and where. -#}
{% macro line_digest(content, quantity, designator) -%}
{{ digest(
        content ~ " || '|' || coalesce(cast(" ~ quantity ~ " as varchar), '') || '|' || coalesce('=' || "
        ~ designator ~ ", '')"
    ) }}
{%- endmacro %}

{#- A unit: its part revision and the digests of its lines, the plain ones and those that are assemblies. -#}
{% macro structure_digest(part_id, plain_digest, assembly_digest) -%}
{{ digest(
        "coalesce(cast(" ~ part_id ~ " as varchar), '') || '|' || coalesce(" ~ plain_digest
        ~ ", '') || '|' || coalesce(" ~ assembly_digest ~ ", '')"
    ) }}
{%- endmacro %}

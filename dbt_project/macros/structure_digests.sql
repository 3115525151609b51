{#-
    The parts of a structure hash. Texts are joined so that different configurations give different texts: numbers and
    digests contain no bar, and the only free text, the designator, comes last and has a mark if it is missing.
-#}

{#- Digest of a line: content (`part:…`, `open:…` or the hash of an assembly), quantity and designator. -#}
{% macro line_digest(content, quantity, designator) -%}
{{ digest(
        content ~ " || '|' || coalesce(cast(" ~ quantity ~ " as string), '') || '|' || coalesce('=' || "
        ~ designator ~ ", '')"
    ) }}
{%- endmacro %}

{#- Digest of a unit: its part revision and the digests of its leaf lines and its assembly lines. -#}
{% macro structure_digest(part_id, plain_digest, assembly_digest) -%}
{{ digest(
        "coalesce(cast(" ~ part_id ~ " as string), '') || '|' || coalesce(" ~ plain_digest
        ~ ", '') || '|' || coalesce(" ~ assembly_digest ~ ", '')"
    ) }}
{%- endmacro %}

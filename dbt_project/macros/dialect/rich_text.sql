{#- Rich text as ION stores it: JSON with the words in its leaves. -#}

{#- The words of a rich text, one line per paragraph; null if there are none. -#}
{% macro words_of(rich_text) %}{{ return(adapter.dispatch('words_of')(rich_text)) }}{% endmacro %}
{% macro duckdb__words_of(rich_text) -%}
    nullif(trim(array_to_string(list_transform(
        json_extract({{ rich_text }}, '$[*]'), lambda block: array_to_string(json_extract_string(block, '$..text'), '')
    ), chr(10))), '')
{%- endmacro %}

{#- Rich text as ION stores it: JSON with the words in its leaves. -#}

{#- The words of a rich text, one line per paragraph; null if there are none. -#}
{% macro words_of(rich_text) %}{{ return(adapter.dispatch('words_of')(rich_text)) }}{% endmacro %}
{% macro duckdb__words_of(rich_text) -%}
    nullif(trim(array_to_string(list_transform(
        json_extract({{ rich_text }}, '$[*]'), lambda block: array_to_string(json_extract_string(block, '$..text'), '')
    ), chr(10))), '')
{%- endmacro %}
{% macro spark__words_of(rich_text) -%}
    nullif(trim(array_join(transform(
        try_variant_get(try_parse_json({{ rich_text }}), '$', 'array<string>'),
        block -> array_join(transform(
            regexp_extract_all(block, '"text":"((?:[^"\\\\]|\\\\.)*)"', 1),
            word -> get(from_json(concat('["', word, '"]'), 'array<string>'), 0)
        ), '')
    ), chr(10))), '')
{%- endmacro %}

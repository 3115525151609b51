{#- Texts: keys that sort, and values out of JSON texts. -#}

{#-
    A text that sorts as people sort: C2 before C10. Every run of digits is brought to at least ten digits by zeros
    in front of it.
-#}
{% macro natural_key(text) %}{{ return(adapter.dispatch('natural_key')(text)) }}{% endmacro %}
{% macro duckdb__natural_key(text) -%}
    regexp_replace(regexp_replace({{ text }}, '([0-9]+)', '0000000000\1', 'g'), '0*([0-9]{10})', '\1', 'g')
{%- endmacro %}

{#-
    A whole number as a text that sorts as the number does: its digits behind how many they are ('17', '212', '3100').
    No such text is the beginning of another one, so a path of them sorts as a tree. Up to nine digits.
-#}
{% macro ordinal_key(number) -%}
    length(cast({{ number }} as varchar)) || cast({{ number }} as varchar)
{%- endmacro %}

{#- The text of a JSON scalar: without its quotes if a string; arrays and objects as JSON. -#}
{% macro json_text(json) %}{{ return(adapter.dispatch('json_text')(json)) }}{% endmacro %}
{% macro duckdb__json_text(json) %}json_extract_string({{ json }}, '$'){% endmacro %}

{#- A JSON array of scalars as a list of texts; null for anything else. -#}
{% macro json_list(json) %}{{ return(adapter.dispatch('json_list')(json)) }}{% endmacro %}
{% macro duckdb__json_list(json) -%}
    case when json_type({{ json }}) = 'ARRAY' then json_extract_string({{ json }}, '$[*]') end
{%- endmacro %}

{#- 128 bits that stand for a text: two texts with the same ones are not met by chance. -#}
{% macro digest(text) %}{{ return(adapter.dispatch('digest')(text)) }}{% endmacro %}
{% macro duckdb__digest(text) %}md5({{ text }}){% endmacro %}

{#- One digest for the digests of a group, whatever their order. -#}
{% macro digest_of_all(digests) %}{{ return(adapter.dispatch('digest_of_all')(digests)) }}{% endmacro %}
{% macro duckdb__digest_of_all(digests) %}md5(string_agg({{ digests }}, '' order by {{ digests }})){% endmacro %}

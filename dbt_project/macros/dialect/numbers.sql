{#- Aggregates over numbers. -#}

{#- The product of a group's values, without nulls; not through logarithms, which are undefined for 0. -#}
{% macro product_of(value) %}{{ return(adapter.dispatch('product_of')(value)) }}{% endmacro %}
{% macro duckdb__product_of(value) %}product({{ value }}){% endmacro %}
{% macro spark__product_of(value) -%}
    case
        when count({{ value }}) > 0
            then aggregate(collect_list({{ value }}), cast(1 as double), (so_far, item) -> so_far * item)
    end
{%- endmacro %}

{#-
    The number in a text; null unless the text is exactly one finite decimal number. A cast would also accept NaN,
    Infinity, 1_000, 0x10 and blanks. Numbers beyond 1e150 give null: a double cannot hold their squares, and one such
    value would make every standard deviation fail.
-#}
{% macro number_of_text(text) %}{{ return(adapter.dispatch('number_of_text')(text)) }}{% endmacro %}
{% macro duckdb__number_of_text(text) -%}
    case
        when
            regexp_full_match({{ text }}, '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?')
            and abs(try_cast({{ text }} as double)) <= 1e150
            then try_cast({{ text }} as double)
    end
{%- endmacro %}
{% macro spark__number_of_text(text) -%}
    case
        when
            {{ text }} rlike '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?\\z'
            and abs(try_cast({{ text }} as double)) <= 1e150
            then try_cast({{ text }} as double)
    end
{%- endmacro %}

{#-
    The difference of two numbers, 0 within floating-point error, so that 0.1 + 0.2 equals 0.3. The comparison uses
    twelve digits: more than any gauge has, and four fewer than a double.
-#}
{% macro difference_of(number, other) -%}
    case
        when abs({{ number }} - {{ other }}) <= 1e-12 * greatest(abs({{ number }}), abs({{ other }})) then 0
        else {{ number }} - {{ other }}
    end
{%- endmacro %}

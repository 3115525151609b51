{#-
    The configuration hashes of all units of one height, for `abom_configurations`. The content of a unit is a text of
    places: part, designator, hash of the installed configuration, and quantity; lines with the same part, designator
    and hash are one place. `below` is the relation with the hashes of all lower heights; null for the lowest height,
    where all content is leaves.
-#}
{% macro configurations_of_height(height, below) %}
    select
        places.height,
        places.part_inventory_id,
        {{ digest(
            "coalesce(cast(units.part_id as string), '?') || '('
                || " ~ text_of("places.place || places.content || 'x' || " ~ number_text('places.quantity'), ',',
                'places.place, places.content') ~ " || ')'"
        ) }} as configuration_hash
    from (
        select
            levelled.height,
            levelled.parent_part_inventory_id as part_inventory_id,
            levelled.place,
            {{ "coalesce('#' || below.configuration_hash, '')" if below else "''" }} as content,
            sum(coalesce(levelled.quantity_per_piece, cast('nan' as double))) as quantity
        from levelled
        {% if below %}
        left join {{ below }} as below on levelled.part_inventory_id = below.part_inventory_id
        {% endif %}
        where levelled.height = {{ height }}
        group by all
    ) as places
    inner join units on places.part_inventory_id = units.part_inventory_id
    group by places.height, places.part_inventory_id, units.part_id
{% endmacro %}

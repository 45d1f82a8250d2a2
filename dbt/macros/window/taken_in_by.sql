{#-
    For tests that compare layers: whether the named models have all taken in everything up to the
    window's end. In a `build` they have if they are part of it, elsewhere if their window is closed;
    otherwise one layer is rightly ahead of another, and there is nothing to compare.
-#}
{% macro taken_in_by(models) %}
    {%- if not execute -%}{{ return(false) }}{%- endif -%}
    {%- set window = transform_window() -%}
    {%- for name in models -%}
        {%- set id = 'model.' ~ project_name ~ '.' ~ name -%}
        {%- set lo = window.lo if 'live' in graph.nodes[id].tags else window.rest_lo -%}
        {%- set is_behind = (id not in selected_resources) if flags.WHICH == 'build' else (lo < window.hi) -%}
        {%- if is_behind -%}
            {{ return(false) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(true) }}
{% endmacro %}

-- Quarantined lines and dimension files, for quarantine_silver, data_quality_gold and the names of
-- products, stores and customers. Optional: without it these tables are empty, and dbt falls back to
-- its seeds. Run it after create_stage_and_pipe.sql, and again whenever either has changed: it
-- replaces what is there.
--
-- Variables: lake, aws_role_arn, external_id, as in create_stage_and_pipe.sql. The role must be allowed
-- to read these three prefixes, too.

-- 1) An integration of its own: that of the pipe stays limited to bronze ----------------------------

use role accountadmin;

create storage integration if not exists retail_lake_integration
    type = external_stage
    storage_provider = 'S3'
    enabled = true
    storage_aws_role_arn = '&{aws_role_arn}'
    storage_aws_external_id = '&{external_id}'
    storage_allowed_locations = ('&{lake}/quarantine/', '&{lake}/dimensions/', '&{lake}/commits/')
    comment = 'Reads quarantine, dimensions and commits of the retail lake';
grant usage on integration retail_lake_integration to role retail_loader;

-- 2) Stages -----------------------------------------------------------------------------------------

use role retail_loader;
use warehouse retail_wh;

create file format if not exists retail.raw.retail_json_format type = json;
create file format if not exists retail.raw.retail_csv_format
    type = csv
    parse_header = true
    field_optionally_enclosed_by = '"'
    empty_field_as_null = true
    error_on_column_count_mismatch = false;
create stage if not exists retail.raw.retail_quarantine_stage
    url = '&{lake}/quarantine/'
    storage_integration = retail_lake_integration
    file_format = (format_name = 'retail.raw.retail_json_format');
create stage if not exists retail.raw.retail_commits_stage
    url = '&{lake}/commits/'
    storage_integration = retail_lake_integration
    file_format = (format_name = 'retail.raw.retail_json_format');
create stage if not exists retail.raw.retail_dimensions_stage
    url = '&{lake}/dimensions/'
    storage_integration = retail_lake_integration
    file_format = (format_name = 'retail.raw.retail_csv_format');

-- 3) Quarantined lines: all files, less those that a redrive has superseded -------------------------

create or replace temporary table retail.raw.incoming_commits (body variant);
copy into retail.raw.incoming_commits
from @retail.raw.retail_commits_stage
file_format = (format_name = 'retail.raw.retail_json_format')
pattern = '.*[.]json'
on_error = abort_statement
force = true;

begin transaction;
delete from retail.raw.raw_quarantine_staging;
copy into retail.raw.raw_quarantine_staging (
    reason, source_object, line, byte_offset, byte_length, raw, raw_base64, dt, _quarantine_file
)
from (
    select
        $1:reason::varchar,
        $1:source_object::varchar,
        $1:line::number(19, 0),
        $1:byte_offset::number(19, 0),
        $1:byte_length::number(19, 0),
        $1:raw::varchar,
        $1:raw_base64::varchar,
        split_part(split_part(metadata$filename, 'dt=', -1), '/', 1)::date,
        'quarantine/dt=' || split_part(metadata$filename, 'dt=', -1)
    from @retail.raw.retail_quarantine_stage
)
file_format = (format_name = 'retail.raw.retail_json_format')
pattern = '.*[.]ndjson'
on_error = abort_statement
force = true;
delete from retail.raw.raw_quarantine_staging
where _quarantine_file in (
    select superseded.value::varchar
    from retail.raw.incoming_commits as commits,
        lateral flatten(input => commits.body:superseded) as superseded
);
commit;

-- 4) Dimensions: what the files say now, or nothing where there is no file --------------------------

-- A moment keeps its offset on the way, to become UTC.
create or replace temporary table retail.raw.incoming_products (
    product_id varchar,
    name varchar,
    category varchar,
    price number(18, 2),
    valid_from timestamp_tz(6)
);
copy into retail.raw.incoming_products
from @retail.raw.retail_dimensions_stage
file_format = (format_name = 'retail.raw.retail_csv_format')
pattern = '.*/products[.]csv'
match_by_column_name = case_insensitive
on_error = abort_statement
force = true;

begin transaction;
delete from retail.raw.raw_products;
insert into retail.raw.raw_products (product_id, name, category, price, valid_from)
select product_id, name, category, price, convert_timezone('UTC', valid_from)::timestamp_ntz(6)
from retail.raw.incoming_products;
delete from retail.raw.raw_stores;
copy into retail.raw.raw_stores
from @retail.raw.retail_dimensions_stage
file_format = (format_name = 'retail.raw.retail_csv_format')
pattern = '.*/stores[.]csv'
match_by_column_name = case_insensitive
on_error = abort_statement
force = true;
delete from retail.raw.raw_customer_identities;
copy into retail.raw.raw_customer_identities
from @retail.raw.retail_dimensions_stage
file_format = (format_name = 'retail.raw.retail_csv_format')
pattern = '.*/customer_identities[.]csv'
match_by_column_name = case_insensitive
on_error = abort_statement
force = true;
commit;

-- See: how many rows each of them has now.
select 'quarantined lines' as what, count(*) as row_count from retail.raw.raw_quarantine_staging
union all
select 'products', count(*) from retail.raw.raw_products
union all
select 'stores', count(*) from retail.raw.raw_stores
union all
select 'customer identities', count(*) from retail.raw.raw_customer_identities;

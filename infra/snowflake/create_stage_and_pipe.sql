-- Storage integration, file format, stage, tables and the auto-ingest pipe. Run it after
-- setup_roles.sql, in the two parts that the instructions name: AWS has to be told something between
-- them. Running it again changes nothing that is there.
--
-- Variables:
--   lake           where the lake is, as in `medallion --lake`: s3://bucket or s3://bucket/prefix
--   aws_role_arn   the role that Snowflake assumes: arn:aws:iam::<account id>:role/<name>
--   external_id    a secret phrase of your own, which that role's trust policy asks for

-- 1) The storage integration: Snowflake may read bronze, and nothing else of the lake ---------------

use role accountadmin;

create storage integration if not exists retail_bronze_integration
    type = external_stage
    storage_provider = 'S3'
    enabled = true
    storage_aws_role_arn = '&{aws_role_arn}'
    storage_aws_external_id = '&{external_id}'
    storage_allowed_locations = ('&{lake}/bronze/')
    comment = 'Reads the bronze files of the retail lake';
grant usage on integration retail_bronze_integration to role retail_loader;

-- See: STORAGE_AWS_IAM_USER_ARN and STORAGE_AWS_EXTERNAL_ID, for the role's trust policy.
describe storage integration retail_bronze_integration;

-- 2) File format and stage --------------------------------------------------------------------------

use role retail_loader;
use warehouse retail_wh;

-- Without USE_LOGICAL_TYPE a timestamp arrives as the integer that Parquet stores.
create file format if not exists retail.raw.retail_bronze_format
    type = parquet
    use_logical_type = true
    use_vectorized_scanner = true
    binary_as_text = false;

create stage if not exists retail.raw.retail_bronze_stage
    url = '&{lake}/bronze/'
    storage_integration = retail_bronze_integration
    file_format = (format_name = 'retail.raw.retail_bronze_format');

-- See: the bronze files, if there are any, each with its size.
list @retail.raw.retail_bronze_stage;

-- 3) Tables -----------------------------------------------------------------------------------------

-- The contract's fields (contract/purchase_event.schema.json), the line each row is from, and what
-- is known of the load. A row arrives without _load_seq and is of no account until number_loads
-- (merge_staging.sql) gives it one. Transient: bronze can be loaded again.
create transient table if not exists retail.raw.raw_purchases_staging (
    event_id varchar,
    ts timestamp_ltz(6),
    store_id varchar,
    customer_id varchar,
    product_id varchar,
    category varchar,
    price float,
    quantity number(10, 0),
    total_amount float,
    _rescued_data varchar,
    _source_object varchar not null,
    _source_line number(19, 0) not null,
    dt date not null,
    _bronze_file varchar not null,
    _scanned_at timestamp_ltz(9) not null,
    _load_seq number(19, 0)
);

-- Which bronze file came with which load. A file has one row, or some if Snowpipe committed it in
-- parts.
create table if not exists retail.raw.load_history (
    path varchar not null,
    row_count number(19, 0) not null,
    load_seq number(19, 0) not null,
    loaded_at timestamp_ltz(9) not null
);

-- One row, which whoever numbers loads updates first: so they take turns.
create table if not exists retail.raw.load_turn (taken_at timestamp_ltz(9));
insert into retail.raw.load_turn
select current_timestamp() where not exists (select 1 from retail.raw.load_turn);

-- Filled by copy_quarantine_and_dimensions.sql; empty without it.
create transient table if not exists retail.raw.raw_quarantine_staging (
    reason varchar,
    source_object varchar,
    line number(19, 0),
    byte_offset number(19, 0),
    byte_length number(19, 0),
    raw varchar,
    raw_base64 varchar,
    dt date,
    _quarantine_file varchar
);
create transient table if not exists retail.raw.raw_products (
    product_id varchar,
    name varchar,
    category varchar,
    price number(18, 2),
    valid_from timestamp_ntz(6)
);
create transient table if not exists retail.raw.raw_stores (
    store_id varchar,
    name varchar,
    region varchar,
    timezone varchar,
    opens varchar,
    closes varchar,
    opened_on date
);
create transient table if not exists retail.raw.raw_customer_identities (
    alias varchar,
    customer_id varchar,
    channel varchar
);

-- 4) The pipe ---------------------------------------------------------------------------------------

-- Columns by name, since Parquet arrives as one VARIANT; dt from the path, since the file has no such
-- column. SKIP_FILE: a file loads whole, or is "Load failed" in the history and pending in `medallion
-- verify`; CONTINUE would lose rows without a word.
create pipe if not exists retail.raw.retail_bronze_pipe
    auto_ingest = true
    comment = 'Bronze files into staging'
as
copy into retail.raw.raw_purchases_staging (
    event_id,
    ts,
    store_id,
    customer_id,
    product_id,
    category,
    price,
    quantity,
    total_amount,
    _rescued_data,
    _source_object,
    _source_line,
    dt,
    _bronze_file,
    _scanned_at
)
from (
    select
        $1:event_id::varchar,
        $1:ts::timestamp_ltz(6),
        $1:store_id::varchar,
        $1:customer_id::varchar,
        $1:product_id::varchar,
        $1:category::varchar,
        $1:price::float,
        $1:quantity::number(10, 0),
        $1:total_amount::float,
        $1:_rescued_data::varchar,
        $1:_source_object::varchar,
        $1:_source_line::number(19, 0),
        split_part(split_part(metadata$filename, 'dt=', -1), '/', 1)::date,
        'bronze/dt=' || split_part(metadata$filename, 'dt=', -1),
        metadata$start_scan_time
    from @retail.raw.retail_bronze_stage
)
file_format = (format_name = 'retail.raw.retail_bronze_format')
pattern = '.*[.]parquet'
on_error = skip_file;

-- See: notification_channel, the queue's ARN that the bucket's events go to.
show pipes like 'retail_bronze_pipe' in schema retail.raw;

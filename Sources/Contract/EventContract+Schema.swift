extension EventContract {
  /// Reads a JSON Schema (2020-12) of the form that `contract/README.md` describes.
  ///
  /// Takes every keyword it knows and refuses the others: a rule that the decoder would not keep
  /// must not stand in the contract. Throws a `ContractError` that says the mend.
  public init(schema: some Collection<UInt8>) throws(ContractError) {
    let value: JSONValue
    do {
      value = try JSONValue(parsing: schema)
    } catch {
      throw ContractError(
        .malformedSchema,
        "The schema \(error.problem) at line \(error.line), column \(error.column): "
          + "mend the JSON there.")
    }
    guard case .object(let members) = value else {
      throw ContractError(
        .malformedSchema, "The schema is no JSON object: begin it with \"{\" and \"$schema\".")
    }

    var properties: [JSONValue.Member]?
    var required: [JSONValue] = []
    var isObject = false
    for member in members {
      switch (member.name, member.value) {
      case ("type", .string("object")): isObject = true
      case ("properties", .object(let named)): properties = named
      case ("required", .array(let names)): required = names
      // What is not named is rescued, so nothing may be forbidden.
      case ("additionalProperties", .boolean(true)): break
      case (let name, _) where SchemaProperty.isAnnotation(name): break
      default:
        throw ContractError(
          .unsupportedKeyword,
          "The schema's \"\(member.name)\" is not one the decoder can keep: use \"type\": "
            + "\"object\", \"properties\", \"required\", \"additionalProperties\": true and "
            + "annotations, or remove it.")
      }
    }
    guard isObject, let properties else {
      throw ContractError(
        .unsupportedKeyword,
        "The schema describes no event: give it \"type\": \"object\" and \"properties\".")
    }
    guard required.count == 2, required.contains(.string(Self.idName)),
      required.contains(.string(Self.timestampName))
    else {
      throw ContractError(
        .requiredFields,
        "The schema's \"required\" must be [\"event_id\", \"ts\"]: every other field may be "
          + "absent or null.")
    }

    var fields: [Field] = []
    var seen: Set<String> = []
    for property in properties {
      try SchemaProperty.checkName(property.name, seen: &seen)
      let isRequired = property.name == Self.idName || property.name == Self.timestampName
      let read = try SchemaProperty(property)
      fields.append(Field(name: property.name, type: try read.fieldType(isRequired: isRequired)))
    }
    guard let idIndex = fields.firstIndex(where: { $0.name == Self.idName }),
      let timestampIndex = fields.firstIndex(where: { $0.name == Self.timestampName })
    else {
      throw ContractError(
        .requiredFields,
        "The schema requires \"event_id\" and \"ts\" but does not describe both: add them to "
          + "\"properties\".")
    }
    guard fields[idIndex].type.kind == .string else {
      throw ContractError(
        .requiredFields, "\"event_id\" must be a string without a format: mend its \"type\".")
    }
    guard fields[timestampIndex].type.kind == .timestamp else {
      throw ContractError(
        .requiredFields, "\"ts\" must be a string with \"format\": \"date-time\": mend it.")
    }
    self.init(fields: fields, idIndex: idIndex, timestampIndex: timestampIndex)
  }
}

using System.Collections.Immutable;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Twin.House.Tests;

/// <summary>
/// Which other assemblies each type of a compiled assembly needs: read from its bases, attributes, members and their
/// bodies (ECMA-335, partitions II and III). A nested or compiler-made type counts as its outermost one.
/// </summary>
internal sealed class TypeNeeds : ISignatureTypeProvider<bool, object?>
{
    private static readonly Dictionary<int, OperandType> Operands = typeof(OpCodes).GetFields()
        .Select(f => (OpCode)f.GetValue(null)!).ToDictionary(o => o.Value & 0xFFFF, o => o.OperandType);

    private readonly MetadataReader _reader;
    private readonly PEReader _file;
    private readonly SortedSet<string> _found = new(StringComparer.Ordinal);

    private TypeNeeds(PEReader file) => (_file, _reader) = (file, file.GetMetadataReader());

    /// <summary>Pairs of a type's full name and the name of an assembly that it needs.</summary>
    public static IReadOnlyCollection<(string Type, string Assembly)> Of(string file)
    {
        using var stream = File.OpenRead(file);
        using var pe = new PEReader(stream);
        var needs = new TypeNeeds(pe);
        var pairs = new SortedSet<(string, string)>();
        foreach (var handle in needs._reader.TypeDefinitions)
        {
            needs._found.Clear();
            needs.Type(needs._reader.GetTypeDefinition(handle));
            var name = needs.Outermost(handle);
            foreach (var assembly in needs._found) pairs.Add((name, assembly));
        }
        return pairs;
    }

    private string Outermost(TypeDefinitionHandle handle)
    {
        var type = _reader.GetTypeDefinition(handle);
        while (!type.GetDeclaringType().IsNil) type = _reader.GetTypeDefinition(type.GetDeclaringType());
        var space = _reader.GetString(type.Namespace);
        return (space.Length > 0 ? space + "." : "") + _reader.GetString(type.Name);
    }

    private void Type(TypeDefinition type)
    {
        Need(type.BaseType);
        foreach (var i in type.GetInterfaceImplementations()) Need(_reader.GetInterfaceImplementation(i).Interface);
        Attributes(type.GetCustomAttributes());
        Generic(type.GetGenericParameters());
        foreach (var p in type.GetProperties()) Attributes(_reader.GetPropertyDefinition(p).GetCustomAttributes());
        foreach (var handle in type.GetFields())
        {
            var field = _reader.GetFieldDefinition(handle);
            field.DecodeSignature(this, null);
            Attributes(field.GetCustomAttributes());
        }
        foreach (var handle in type.GetMethods()) Method(_reader.GetMethodDefinition(handle));
    }

    private void Method(MethodDefinition method)
    {
        method.DecodeSignature(this, null);
        Attributes(method.GetCustomAttributes());
        Generic(method.GetGenericParameters());
        foreach (var p in method.GetParameters()) Attributes(_reader.GetParameter(p).GetCustomAttributes());
        if (method.RelativeVirtualAddress == 0) return;
        var body = _file.GetMethodBody(method.RelativeVirtualAddress);
        Need(body.LocalSignature);
        foreach (var region in body.ExceptionRegions) Need(region.CatchType);
        Instructions(body.GetILReader());
    }

    private void Instructions(BlobReader code)
    {
        while (code.RemainingBytes > 0)
        {
            int op = code.ReadByte();
            if (op == 0xFE) op = 0xFE00 | code.ReadByte();
            switch (Operands[op])
            {
                case OperandType.InlineNone:
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    code.Offset += 1;
                    break;
                case OperandType.InlineVar:
                    code.Offset += 2;
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    code.Offset += 8;
                    break;
                case OperandType.InlineSwitch:
                    var targets = code.ReadInt32();
                    code.Offset += 4 * targets;
                    break;
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok
                    or OperandType.InlineType or OperandType.InlineSig:
                    Need(MetadataTokens.EntityHandle(code.ReadInt32()));
                    break;
                default:
                    code.Offset += 4;
                    break;
            }
        }
    }

    private void Attributes(CustomAttributeHandleCollection attributes)
    {
        foreach (var a in attributes) Need(_reader.GetCustomAttribute(a).Constructor);
    }

    private void Generic(GenericParameterHandleCollection parameters)
    {
        foreach (var p in parameters)
            foreach (var c in _reader.GetGenericParameter(p).GetConstraints())
                Need(_reader.GetGenericParameterConstraint(c).Type);
    }

    /// <summary>Definitions are of this assembly and need nothing; what they hold is visited with their type.</summary>
    private void Need(EntityHandle handle)
    {
        if (handle.IsNil) return;
        switch (handle.Kind)
        {
            case HandleKind.AssemblyReference:
                var assembly = _reader.GetAssemblyReference((AssemblyReferenceHandle)handle);
                _found.Add(_reader.GetString(assembly.Name));
                break;
            case HandleKind.TypeReference:
                Need(_reader.GetTypeReference((TypeReferenceHandle)handle).ResolutionScope);
                break;
            case HandleKind.TypeSpecification:
                _reader.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(this, null);
                break;
            case HandleKind.MemberReference:
                var member = _reader.GetMemberReference((MemberReferenceHandle)handle);
                Need(member.Parent);
                if (member.GetKind() == MemberReferenceKind.Field) member.DecodeFieldSignature(this, null);
                else member.DecodeMethodSignature(this, null);
                break;
            case HandleKind.MethodSpecification:
                var method = _reader.GetMethodSpecification((MethodSpecificationHandle)handle);
                Need(method.Method);
                method.DecodeSignature(this, null);
                break;
            case HandleKind.StandaloneSignature:
                var signature = _reader.GetStandaloneSignature((StandaloneSignatureHandle)handle);
                if (signature.GetKind() == StandaloneSignatureKind.LocalVariables)
                    signature.DecodeLocalSignature(this, null);
                else signature.DecodeMethodSignature(this, null);
                break;
        }
    }

    private bool Needed(EntityHandle handle)
    {
        Need(handle);
        return true;
    }

    // What a signature is made of: only named types count.
    bool ISimpleTypeProvider<bool>.GetTypeFromReference(MetadataReader r, TypeReferenceHandle h, byte k) => Needed(h);
    bool ISimpleTypeProvider<bool>.GetTypeFromDefinition(MetadataReader r, TypeDefinitionHandle h, byte k) => true;
    bool ISimpleTypeProvider<bool>.GetPrimitiveType(PrimitiveTypeCode code) => true;
    bool ISignatureTypeProvider<bool, object?>.GetTypeFromSpecification(MetadataReader r, object? c,
        TypeSpecificationHandle h, byte k) => Needed(h);
    bool ISignatureTypeProvider<bool, object?>.GetFunctionPointerType(MethodSignature<bool> signature) => true;
    bool ISignatureTypeProvider<bool, object?>.GetGenericMethodParameter(object? context, int index) => true;
    bool ISignatureTypeProvider<bool, object?>.GetGenericTypeParameter(object? context, int index) => true;
    bool ISignatureTypeProvider<bool, object?>.GetModifiedType(bool modifier, bool type, bool required) => true;
    bool ISignatureTypeProvider<bool, object?>.GetPinnedType(bool element) => true;
    bool IConstructedTypeProvider<bool>.GetArrayType(bool element, ArrayShape shape) => true;
    bool IConstructedTypeProvider<bool>.GetByReferenceType(bool element) => true;
    bool IConstructedTypeProvider<bool>.GetGenericInstantiation(bool type, ImmutableArray<bool> arguments) => true;
    bool IConstructedTypeProvider<bool>.GetPointerType(bool element) => true;
    bool ISZArrayTypeProvider<bool>.GetSZArrayType(bool element) => true;
}

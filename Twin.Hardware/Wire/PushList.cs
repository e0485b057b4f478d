namespace Twin.Hardware.Wire;

/// <summary>
/// One value of a push list: what it is, the number with scaler (value × 10^scaler) and unit, or a text, or a time.
/// </summary>
/// <param name="Unit">
/// Unit of COSEM: 27 W, 28 VA, 29 var, 30 Wh, 32 varh, 33 A, 35 V; 255 none or not told.
/// </param>
public readonly record struct PushValue(Obis Name, long Value, sbyte Scaler, byte Unit, string? Text,
    CosemDateTime? Time)
{
    /// <summary>The number in its unit.</summary>
    public double Scaled
    {
        get
        {
            double value = Value;
            for (var s = (int)Scaler; s > 0; s--) value *= 10;
            for (var s = (int)Scaler; s < 0; s++) value /= 10;
            return value;
        }
    }
}

/// <summary>Who makes a list and what its values mean.</summary>
public enum PushListKind : byte
{
    /// <summary>Values behind their logical names; scaler and unit only where the list has them.</summary>
    Named = 0,
    /// <summary>Kaifa: values by their place, in lists of 1, 9, 13, 14 or 18.</summary>
    Kaifa = 1,
    /// <summary>Kamstrup: a version text, then logical names and values in turn.</summary>
    Kamstrup = 2,
    /// <summary>Aidon: an array of structures of logical name, value, scaler and unit.</summary>
    Aidon = 3,
}

/// <summary>
/// Reads the lists that Norwegian meters push at their HAN port (and named lists like them) into neutral values. The
/// meaning of places and units comes from the manufacturers' lists for the Norwegian HAN interface.
/// </summary>
public static class PushList
{
    /// <summary>Values of one list; more are refused.</summary>
    public const int MaxValues = 128;

    private const byte Watt = 27, Var = 29, WattHour = 30, VarHour = 32, Ampere = 33, Volt = 35, NoUnit = 255;

    private static readonly Obis ListVersion = new(1, 1, 0, 2, 129);
    private static readonly Obis MeterType = new(0, 0, 96, 1, 7);

    private static readonly (Obis Name, sbyte Scaler, byte Unit)[] KaifaHead =
    [
        (ListVersion, 0, NoUnit), (Obis.EquipmentId, 0, NoUnit), (MeterType, 0, NoUnit),
        (new(1, 0, 1, 7, 0), 0, Watt), (new(1, 0, 2, 7, 0), 0, Watt),
        (new(1, 0, 3, 7, 0), 0, Var), (new(1, 0, 4, 7, 0), 0, Var),
    ];

    private static readonly (Obis Name, sbyte Scaler, byte Unit)[] KaifaOnePhase =
        [(new(1, 0, 31, 7, 0), -3, Ampere), (new(1, 0, 32, 7, 0), -1, Volt)];

    private static readonly (Obis Name, sbyte Scaler, byte Unit)[] KaifaThreePhase =
    [
        (new(1, 0, 31, 7, 0), -3, Ampere), (new(1, 0, 51, 7, 0), -3, Ampere), (new(1, 0, 71, 7, 0), -3, Ampere),
        (new(1, 0, 32, 7, 0), -1, Volt), (new(1, 0, 52, 7, 0), -1, Volt), (new(1, 0, 72, 7, 0), -1, Volt),
    ];

    private static readonly (Obis Name, sbyte Scaler, byte Unit)[] KaifaHourly =
    [
        (Obis.Clock, 0, NoUnit), (Obis.ImportTotal, 0, WattHour), (Obis.ExportTotal, 0, WattHour),
        (new(1, 0, 3, 8, 0), 0, VarHour), (new(1, 0, 4, 8, 0), 0, VarHour),
    ];

    /// <summary>The places of a Kaifa list, by its number of values.</summary>
    private static readonly Dictionary<int, (Obis Name, sbyte Scaler, byte Unit)[]> Kaifa = new()
    {
        [1] = [KaifaHead[3]],
        [9] = [.. KaifaHead, .. KaifaOnePhase],
        [13] = [.. KaifaHead, .. KaifaThreePhase],
        [14] = [.. KaifaHead, .. KaifaOnePhase, .. KaifaHourly],
        [18] = [.. KaifaHead, .. KaifaThreePhase, .. KaifaHourly],
    };

    /// <summary>
    /// Reads a body into <paramref name="values"/>, which is cleared first. A list that is none of the known gives
    /// <see cref="WireCode.Unsupported"/>. Kamstrup's energies are in 10 Wh in Norway and in Wh elsewhere, and nothing
    /// in the list tells which: give <paramref name="kamstrupEnergyScaler"/> (1 or 0) when it is known; without it
    /// they come with unit 255 and are not to be used as energies.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> body, List<PushValue> values, out PushListKind kind,
        out WireError error, sbyte? kamstrupEnergyScaler = null)
    {
        values.Clear();
        kind = PushListKind.Named;
        var reader = new CosemReader(body);
        if (!reader.TryNext(out var root)) return Refuse(reader.Error, out error);
        if (!root.Tag.IsContainer()) return Refuse(new WireError(WireCode.WrongType, 0), out error);
        var look = reader;
        if (look.TryNext(out var first) && root.Tag == CosemTag.Structure && !first.Tag.IsContainer()
            && !first.TryObis(out _))
        {
            if (first.Tag == CosemTag.VisibleString && first.Content.StartsWith("Kamstrup"u8))
                kind = PushListKind.Kamstrup;
            else if (Kaifa.TryGetValue(root.Count, out var places))
                return ReadKaifa(ref reader, places, values, out kind, out error);
            else return Refuse(new WireError(WireCode.Unsupported, first.Offset), out error);
        }
        return ReadNamed(ref reader, root.Tag, values, ref kind, kamstrupEnergyScaler, out error);
    }

    /// <summary>The meter's serial or identification in a list; null when it holds none.</summary>
    public static string? MeterText(IReadOnlyList<PushValue> values)
    {
        foreach (var v in values)
        {
            // Kamstrup names the GS1 number 1.1.0.0.5 and the serial 1.1.0.0.1; the others 0.0.96.1.0.
            var isId = v.Name == Obis.EquipmentId || v.Name is { C: 0, D: 0, E: 1 or 5 };
            if (isId) return v.Text ?? v.Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        return null;
    }

    private static bool Refuse(WireError found, out WireError error)
    {
        error = found.IsError ? found : new WireError(WireCode.Truncated, found.Offset);
        return false;
    }

    private static bool ReadKaifa(ref CosemReader reader, (Obis Name, sbyte Scaler, byte Unit)[] places,
        List<PushValue> values, out PushListKind kind, out WireError error)
    {
        kind = PushListKind.Kaifa;
        foreach (var (name, scaler, unit) in places)
        {
            if (!reader.TryNext(out var item)) return Refuse(reader.Error, out error);
            if (!TryValue(name, item, scaler, unit, out var value))
                return Refuse(new WireError(WireCode.WrongType, item.Offset), out error);
            var isNumber = value.Text is null && value.Time is null;
            if (isNumber != (unit != NoUnit)) return Refuse(new WireError(WireCode.WrongType, item.Offset), out error);
            values.Add(value);
        }
        error = default;
        return true;
    }

    /// <summary>Logical names, each followed by its value and maybe a structure of scaler and unit.</summary>
    private static bool ReadNamed(ref CosemReader reader, CosemTag root, List<PushValue> values,
        ref PushListKind kind, sbyte? energyScaler, out WireError error)
    {
        Obis? pending = null;
        while (reader.TryNext(out var item))
        {
            if (values.Count > MaxValues)
                return Refuse(new WireError(WireCode.TooManyElements, item.Offset), out error);
            if (pending is null && item.TryObis(out var name))
            {
                pending = name;
            }
            else if (item.Tag == CosemTag.Structure && item.Count == 2 && pending is null && item.Depth > 1
                && values.Count > 0)
            {
                if (!TryScale(ref reader, values, out error)) return false;
                if (root == CosemTag.Array) kind = PushListKind.Aidon;
            }
            else if (pending is { } known && !item.Tag.IsContainer())
            {
                var (scaler, unit) = kind == PushListKind.Kamstrup ? KamstrupScale(known, energyScaler)
                    : ((sbyte)0, NoUnit);
                if (!TryValue(known, item, scaler, unit, out var value))
                    return Refuse(new WireError(WireCode.WrongType, item.Offset), out error);
                values.Add(value);
                pending = null;
            }
            else if (!item.Tag.IsContainer())
            {
                // The version text of a Kamstrup list stands without a name.
                if (kind != PushListKind.Kamstrup || values.Count > 0
                    || !TryValue(ListVersion, item, 0, NoUnit, out var version))
                    return Refuse(new WireError(WireCode.Unsupported, item.Offset), out error);
                values.Add(version);
            }
        }
        error = reader.Error;
        if (!error.IsError && values.Count == 0) error = new WireError(WireCode.Unsupported, 0);
        return !error.IsError;
    }

    private static bool TryScale(ref CosemReader reader, List<PushValue> values, out WireError error)
    {
        if (!reader.TryNext(out var scaler) || !reader.TryNext(out var unit)) return Refuse(reader.Error, out error);
        if (scaler.Tag != CosemTag.Integer || unit.Tag != CosemTag.Enum || !scaler.TryInteger(out var power))
            return Refuse(new WireError(WireCode.WrongType, scaler.Offset), out error);
        values[^1] = values[^1] with { Scaler = (sbyte)power, Unit = unit.Content[0] };
        error = default;
        return true;
    }

    private static bool TryValue(Obis name, in CosemItem item, sbyte scaler, byte unit, out PushValue value)
    {
        value = default;
        if (item.TryInteger(out var number)) value = new PushValue(name, number, scaler, unit, null, null);
        else if (item.TryDateTime(out var time)) value = new PushValue(name, 0, 0, NoUnit, null, time);
        else if (item.TryObis(out var other)) value = new PushValue(name, 0, 0, NoUnit, other.ToString(), null);
        else if (item.Text() is { } text) value = new PushValue(name, 0, 0, NoUnit, text, null);
        else return false;
        return true;
    }

    /// <summary>Kamstrup: currents in 10 mA, power factors in hundredths, powers and voltages in units.</summary>
    private static (sbyte Scaler, byte Unit) KamstrupScale(Obis name, sbyte? energy) => (name.C, name.D) switch
    {
        (31 or 51 or 71, 7) => (-2, Ampere),
        (32 or 52 or 72, 7) => (0, Volt),
        (13 or 33 or 53 or 73, 7) => (-2, NoUnit),
        (1 or 2 or 21 or 22 or 41 or 42 or 61 or 62, 7) => (0, Watt),
        (3 or 4, 7) => (0, Var),
        (1 or 2 or 21 or 22 or 41 or 42 or 61 or 62, 8) when energy is { } scaler => (scaler, WattHour),
        (3 or 4, 8) when energy is { } scaler => (scaler, VarHour),
        _ => (0, NoUnit),
    };
}

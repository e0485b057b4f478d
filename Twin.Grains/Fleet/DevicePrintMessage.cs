using Twin.Detection.Fleet;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Fleet;

/// <summary>
/// A day of a device for the twin of its model: the fingerprint, or what its register said, or both. Sent at sweeps and
/// closings, and never answered.
/// </summary>
internal readonly record struct DevicePrintMessage(string Model, string MeterName, UnixTime At, ulong Image, byte Age,
    string Lot, string Path, float Register, float[] Values)
{
    private const string Prefix = "behaviour|";

    /// <summary>The twin of a model's behaviour: a cohort under a name that no model, firmware and lot have.</summary>
    public static TwinKey KeyOf(string model) => TwinKey.Named(TwinKind.Cohort, Prefix + model);

    public void Write(ByteWriter to)
    {
        MessageHead.Write(to, MessageKind.DevicePrint);
        to.Text(Model);
        to.Text(MeterName);
        to.VarInt(At.Seconds);
        to.UInt64(Image);
        to.Byte(Age);
        to.Text(Lot);
        to.Text(Path);
        to.Single(Register);
        to.VarUInt((ulong)Values.Length);
        foreach (var v in Values) to.Single(v);
    }

    /// <summary>True when a message is of this kind.</summary>
    public static bool Is(ReadOnlySpan<byte> body)
    {
        var r = new ByteReader(body);
        return MessageHead.Read(ref r) == MessageKind.DevicePrint;
    }

    /// <exception cref="InvalidDataException">Damaged, or no message of this kind.</exception>
    public static DevicePrintMessage Read(ReadOnlySpan<byte> body)
    {
        var r = new ByteReader(body);
        if (MessageHead.Read(ref r) != MessageKind.DevicePrint) throw r.Bad("this message tells of no device");
        var (model, name, at) = (r.Text(), r.Text(), Input.ReadTime(ref r));
        var (image, age, lot, path, register) = (r.UInt64(), r.Byte(0, 4), r.Text(), r.Text(), r.Single());
        var values = new float[r.Count(Fingerprint.Features)];
        for (var i = 0; i < values.Length; i++) values[i] = r.Single();
        return r.AtEnd ? new DevicePrintMessage(model, name, at, image, age, lot, path, register, values)
            : throw r.Bad("bytes follow a message about a device");
    }

    /// <summary>What the model's twin takes; the sender is the meter.</summary>
    public DevicePrint From(TwinKey meter) =>
        new(new Party(meter, MeterName.Length > 0 ? MeterName : new MeterId(meter.Id).ToString()), At, Image, Age, Lot,
            Path, Register, Values);
}

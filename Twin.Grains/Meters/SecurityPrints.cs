using Twin.Detection.Fleet;
using Twin.Grains.Fleet;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Meters;

/// <summary>A fingerprint that waits for the next sweep.</summary>
internal readonly record struct PrintMark(long At, ulong Image, float[] Values)
{
    public void Write(ByteWriter to)
    {
        to.VarInt(At);
        to.UInt64(Image);
        to.VarUInt((ulong)Values.Length);
        foreach (var v in Values) to.Single(v);
    }

    public static PrintMark Read(ref ByteReader r)
    {
        var (at, image) = (Input.ReadTime(ref r).Seconds, r.UInt64());
        var values = new float[r.Count(Fingerprint.Features)];
        for (var i = 0; i < values.Length; i++) values[i] = r.Single();
        return new PrintMark(at, image, values);
    }
}

// How a device behaves is told to the twin of its model, which holds it against others that are alike.
internal sealed partial class MeterSecurity
{
    private void Keep(Fingerprint print) => Rare.Prints = SecurityRare.Append(Rare.Prints,
        new PrintMark(print.At.Seconds, print.Image, print.Values), SecurityRare.MaxPrints);

    private static void Tell(in SecurityScene scene, SecurityRare rare)
    {
        foreach (var print in rare.Prints)
            DeviceSpeech.Tell(scene.RelationAt(new UnixTime(print.At)), scene.Name, new UnixTime(print.At),
                print.Image, float.NaN, print.Values, scene.Outbox);
        rare.Prints = [];
    }
}

/// <summary>The letter of a device to the twin of its model.</summary>
internal static class DeviceSpeech
{
    /// <summary>A meter whose model the registry does not know has no peers.</summary>
    public static void Tell(MeterRelation? relation, string name, UnixTime at, ulong image, float register,
        float[] values, IOutbox outbox)
    {
        if (relation is not { Model.Length: > 0 } r) return;
        var w = Scratch.Mine.Bytes;
        w.Clear();
        new DevicePrintMessage(r.Model, name, at, image, BehaviourModel.AgeOf(YearsSince(r.Installed, at)), r.Lot,
            r.Concentrator, register, values).Write(w);
        outbox.Send(DevicePrintMessage.KeyOf(r.Model), w.Written);
    }

    /// <summary>Whole years since a date; 0 where the registry gives none.</summary>
    private static int YearsSince(string installed, UnixTime at) =>
        DateOnly.TryParseExact(installed, "yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture,
            System.Globalization.DateTimeStyles.None, out var date)
            ? (int)Math.Clamp((at.Seconds / 86_400 + DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber
                - date.DayNumber) / 365, 0, 100) : 0;
}

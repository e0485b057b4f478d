using System.Globalization;
using Twin.Hardware;

namespace Twin.Detection.Specification;

/// <summary>
/// Names of what several subjects may share, see <see cref="Finding.Cause"/>: findings of one cause are one storm.
/// </summary>
public static class SharedCauses
{
    /// <summary>The same image of firmware, by the first 8 bytes of its digest.</summary>
    public static string Image(ulong digest) => Hex("image:", digest);

    /// <summary>The same public key, by its fingerprint.</summary>
    public static string Key(ulong fingerprint) => Hex("key:", fingerprint);

    /// <summary>The same production lot of a model.</summary>
    public static string Lot(string model, string lot) => Cut($"lot:{model}|{lot}");

    /// <summary>The same announced upgrade.</summary>
    public static string Campaign(string name) => Cut($"campaign:{name}");

    /// <summary>The same tool or contractor on site; without a name it is shared with nobody.</summary>
    public static string Tool(string name) => name.Length == 0 ? "" : Cut($"tool:{name}");

    /// <summary>
    /// Where a command came from, as far as many meters can share it: the head-end with whoever used it, or the
    /// firmware itself. Others act on one meter.
    /// </summary>
    public static string Origin(CommandOrigin origin) => origin switch
    {
        CommandOrigin.Firmware => "origin:firmware",
        CommandOrigin.HeadEnd => "origin:headend",
        _ => "",
    };

    private static string Hex(string kind, ulong value) =>
        string.Create(CultureInfo.InvariantCulture, $"{kind}{value:x16}");

    private static string Cut(string text) => text.Length <= Finding.MaxCause ? text : text[..Finding.MaxCause];
}

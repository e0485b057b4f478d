using System.Formats.Asn1;
using System.Text;
using System.Text.Json;
using Twin.Silo.Storage;

namespace Twin.Silo.Soc.Reports;

/// <summary>Writes a report, and beside it its signature.</summary>
internal static class ReportFile
{
    /// <summary>What is behind a report's name in that of its signature.</summary>
    public const string SignatureSuffix = ".sig";

    /// <summary>
    /// Writes the text, and <c>FILE.sig</c>: the ECDSA signature of the file's bytes in DER (RFC 3279, section 2.2.3),
    /// as <c>openssl dgst -verify</c> reads it.
    /// </summary>
    /// <param name="sign">Signs bytes: ECDSA with SHA-256, r and s side by side (IEEE P1363).</param>
    public static void Write(string path, string text, Func<byte[], byte[]> sign)
    {
        var bytes = new UTF8Encoding(false).GetBytes(text);
        var whole = Path.GetFullPath(path);
        // A report with a signature of an older one beside it would look forged.
        File.Delete(whole + SignatureSuffix);
        AtomicFile.Write(whole, stream => stream.Write(bytes));
        var signature = Der(sign(bytes));
        AtomicFile.Write(whole + SignatureSuffix, stream => stream.Write(signature));
    }

    /// <summary>SEQUENCE of INTEGER r and INTEGER s.</summary>
    private static byte[] Der(byte[] signature)
    {
        static ReadOnlySpan<byte> Shortest(ReadOnlySpan<byte> number)
        {
            var first = number.IndexOfAnyExcept((byte)0);
            return first < 0 ? number[^1..] : number[first..];
        }
        var half = signature.Length / 2;
        var der = new AsnWriter(AsnEncodingRules.DER);
        using (der.PushSequence())
        {
            der.WriteIntegerUnsigned(Shortest(signature.AsSpan(0, half)));
            der.WriteIntegerUnsigned(Shortest(signature.AsSpan(half)));
        }
        return der.Encode();
    }

    public static string Json<T>(T report) => JsonSerializer.Serialize(report, Commands.Cli.Json) + "\n";
}

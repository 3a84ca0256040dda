// node-llama-cpp goes on with a text: client.mjs <directory with node_modules> <model.gguf> <prompt>
// Prints the text on stdout and the engine's log on stderr.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [directory, modelPath, prompt] = process.argv.slice(2);
const entry = createRequire(directory + "/").resolve("node-llama-cpp");
const { getLlama, LlamaCompletion } = await import(pathToFileURL(entry));

const llama = await getLlama({
  gpu: false, build: "never", usePrebuiltBinaries: true, maxThreads: 1, logLevel: "info",
  logger: (level, text) => process.stderr.write(text.trimEnd() + "\n"),
});
const model = await llama.loadModel({ modelPath });
const context = await model.createContext({ contextSize: 256, threads: 1 });
const completion = new LlamaCompletion({ contextSequence: context.getSequence() });
console.log(await completion.generateCompletion(prompt, { maxTokens: 40, temperature: 0 }));
await llama.dispose();

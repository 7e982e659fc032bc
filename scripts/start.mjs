// npm start: brings in what is missing, builds what has changed, serves the page.
import { build } from './build.mjs';
import { portFromEnvironment, serve } from './serve.mjs';
import { runMain } from './steps.mjs';

await runMain(async () => {
  const port = portFromEnvironment();
  await build();
  const { url } = await serve({ port });
  console.log(`tabgrad is ready at ${url}`);
});
